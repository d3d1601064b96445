"""`python -m pipelines.probe FILE [--name NAME]`: what a file is, as JSON on standard output.

A stranger's file is decoded here, so this runs in a process of its own: what a hostile file does
to it, within limits of memory and time, happens to nobody else. It opens no file but that one, and
reaches no network. On failure it prints
`{"error": {"code", "message", "hint"}}` and exits with 2.
"""

import argparse
import json
import os
import resource
import sys
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import av
import av.logging

from contracts.confinement import confine
from pipelines.errors import MediaError, PipelineError
from pipelines.media import Media, probe

_REFUSED = 2
_MEMORY_LIMIT = 4 * 1024**3
_CPU_SECONDS_LIMIT = 60
#: Parts of PyAV are imported when they are first used.
_DECODERS = Path(av.__file__).parent


def main() -> int:
    arguments = _parse()
    _limit()
    with suppress(FileNotFoundError):  # which probing tells in its own words
        confine([arguments.file, _DECODERS])
    av.logging.set_libav_level(av.logging.PANIC)
    answer, status = _answer(arguments.file, arguments.name)
    print(json.dumps(answer))  # noqa: T201 - the answer is what this program prints
    return status


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m pipelines.probe", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--name", help="the file's original name")
    return parser.parse_args()


def _limit() -> None:
    """Ends the process, rather than the machine, if a file asks for too much."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_LIMIT, _MEMORY_LIMIT))
    # Past the first one comes SIGXCPU, which nobody else sends; SIGKILL may be anybody's.
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS_LIMIT, _CPU_SECONDS_LIMIT + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _answer(path: Path, name: str | None) -> tuple[dict[str, Any], int]:
    try:
        return _facts(probe(path, name)), 0
    except MemoryError:
        return _error(MediaError("Decoding the file takes too much memory.")), _REFUSED
    except PipelineError as error:
        return _error(error), _REFUSED


def _facts(media: Media) -> dict[str, Any]:
    return asdict(media) | {"path": os.fspath(media.path), "stem": media.stem}


def _error(error: PipelineError) -> dict[str, Any]:
    return {"error": {"code": error.code, "message": error.message, "hint": error.hint}}


if __name__ == "__main__":
    sys.exit(main())
