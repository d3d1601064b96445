"""Checks what a pipeline returned, so that its author is told what is wrong in the author's words.

What is right is returned with clean text: see `contracts/text.py`.
"""

import math
import stat
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from contracts.text import clean_text
from pipelines.errors import FindingsError
from pipelines.findings import Findings, ResultFile, Role, Timings
from pipelines.outputs.manifest import MANIFEST

_HINT = "Correct the pipeline: docs/adding-a-pipeline.md says what it returns."
_LONGEST_NAME = 200


def check_findings(returned: object, folder: Path) -> Findings:
    """The findings, whose files lie in `folder`. Raises FindingsError."""
    if not isinstance(returned, Findings):
        kind = "None" if returned is None else type(returned).__name__
        raise _wrong(f"returned {kind}, not Findings")
    _check_folder(folder)
    if not _is_whole(returned.count) or returned.count < 0:
        raise _wrong(f"count must be a whole number, 0 or more; it is {_shown(returned.count)}")
    _check_timings(returned.timings)
    for file in _sequence(returned.files, "files"):
        _check_file(file, folder)
    names = [file.name for file in returned.files]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise _wrong(f"named {repeated!r} in its findings more than once")
    return replace(
        returned,
        noun=_text(returned.noun, "noun"),
        device=_text(returned.device, "device"),
        notes=[
            _text(note, f"notes[{number}]")
            for number, note in enumerate(_sequence(returned.notes, "notes"))
        ],
        table=[
            _values(row, f"table[{number}]")
            for number, row in enumerate(_sequence(returned.table, "table"))
        ],
        columns={
            _text(name, "a name in columns"): _text(about, f"columns.{name}")
            for name, about in _mapping(returned.columns, "columns").items()
        },
        facts=_values(returned.facts, "facts"),
    )


def _check_folder(folder: Path) -> None:
    if folder.is_symlink() or not folder.is_dir():
        raise _wrong("removed or replaced the folder for its results")


def _check_file(file: object, folder: Path) -> None:
    if not isinstance(file, ResultFile):
        raise _wrong(f"files must hold ResultFile, not {type(file).__name__}")
    _check_name(file.name)
    if file.role not in set(Role):
        raise _wrong(f"the role of {file.name!r} must be one of {', '.join(Role)}")
    if not isinstance(file.media_type, str) or clean_text(file.media_type) != file.media_type:
        raise _wrong(f"the media type of {file.name!r} must be text")
    try:
        mode = (folder / file.name).lstat().st_mode
    except OSError:
        raise _wrong(f"named {file.name!r} in its findings, but did not write it") from None
    if not stat.S_ISREG(mode):
        raise _wrong(f"named {file.name!r} in its findings, which is not a regular file")


def _check_name(name: object) -> None:
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST_NAME:
        raise _wrong(f"the name of a result must be text, not {_shown(name)}")
    if not name.isprintable():
        raise _wrong(f"the name {clean_text(name)!r} of a result holds what cannot be shown")
    if "/" in name or name.startswith("."):
        raise _wrong(f"named {name!r} in its findings: a result is a file in its folder itself")
    if name == MANIFEST:
        raise _wrong(f"named {name!r} in its findings: Framegate writes that file itself")


def _check_timings(timings: object) -> None:
    if not isinstance(timings, Timings):
        raise _wrong(f"timings must be Timings, not {type(timings).__name__}")
    for name in ("decode_seconds", "inference_seconds", "write_seconds"):
        seconds = getattr(timings, name)
        if not _is_number(seconds) or seconds < 0:
            raise _wrong(f"timings.{name} must be a number, 0 or more; it is {_shown(seconds)}")


def _values(values: object, where: str) -> dict[str, str | int | float]:
    return {
        _text(name, f"a name in {where}"): _value(value, f"{where}.{name}")
        for name, value in _mapping(values, where).items()
    }


def _value(value: Any, where: str) -> str | int | float:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, bool) or _is_number(value):
        return value  # type: ignore[no-any-return] # a bool, an int or a float
    raise _wrong(f"{where} must be text or a number; it is {_shown(value)}")


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _wrong(f"{where} must be text; it is {_shown(value)}")
    return clean_text(value)


def _sequence(value: Any, where: str) -> Sequence[Any]:
    if isinstance(value, str | bytes) or not isinstance(value, Sequence):
        raise _wrong(f"{where} must be a list; it is {_shown(value)}")
    return value


def _mapping(value: Any, where: str) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(f"{where} must be a mapping; it is {_shown(value)}")
    return value


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    """JSON has neither NaN nor infinity."""
    return _is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _shown(value: object) -> str:
    """A plain value as itself; of anything else its type, as its `__repr__` may do anything."""
    if value is None or isinstance(value, str | int | float):
        return clean_text(repr(value), 60)
    return f"of type {type(value).__name__}"


def _wrong(what: str) -> FindingsError:
    return FindingsError(f"The pipeline's result is wrong: {what}.", _HINT)
