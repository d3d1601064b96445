"""JSON as RFC 8259 means it, for bodies and files that strangers send.

Python's own parser accepts NaN, lets the last of two equal keys win, turns 1e400 into infinity,
keeps lone surrogates and runs out of stack on deep nesting. Here each of these is an error that
says where it is.
"""

import json
import math
import re
from typing import Any, NoReturn

MAX_DEPTH = 64

_SURROGATE_ESCAPE = re.compile(r"\\u[dD][89a-fA-F]")
_TOKEN = re.compile(
    r"""
    (?P<string>"[^"\\]*+(?:\\.[^"\\]*+)*+"?)(?P<key>[ \t\r\n]*+:)?
  | (?P<open>[\[{])
  | (?P<close>[\]}])
  | (?P<constant>-?Infinity|NaN)
  # those that may be too large, and no part of another
  | (?P<number>(?<![0-9.])-?(?:[0-9]++(?:\.[0-9]++)?[eE][0-9+-]*+|[0-9]{300,}+))
    """,
    re.VERBOSE | re.DOTALL,
)
_SHOWN_LENGTH = 60
#: What the parser makes of brackets; nothing is derived from them.
_CONTAINERS = {dict, list}


class StrictJsonError(ValueError):
    """The text is not JSON that we take; the message names the defect and its place."""

    def __init__(self, defect: str, text: str, position: int) -> None:
        self.line = text.count("\n", 0, position) + 1
        self.column = position - text.rfind("\n", 0, position)
        super().__init__(f"{defect} (line {self.line}, column {self.column})")


def parse_json(body: bytes | str) -> Any:
    """The value that `body` (UTF-8 where bytes) stands for. Raises StrictJsonError."""
    text = body if isinstance(body, str) else _decode(body)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise StrictJsonError(f"Not valid JSON: {error.msg}", text, error.pos) from error
    except (_DefectError, RecursionError) as error:
        _check(text)
        raise StrictJsonError(str(error), text, 0) from error
    if _may_be_deep(text) and _is_deep(value):
        _check(text)
    if _SURROGATE_ESCAPE.search(text) and not _is_text(value):
        _check(text)
    return value


class _DefectError(ValueError):
    """Something that the standard parser would let pass; where it is, `_check` finds out."""


def _decode(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        before = body[: error.start].decode()
        raise StrictJsonError("Not valid UTF-8", before, len(before)) from error


def _may_be_deep(text: str) -> bool:
    """Cheap and never wrong with no: fewer brackets than levels cannot nest too deep."""
    return text.count("[") + text.count("{") > MAX_DEPTH


def _is_deep(value: Any) -> bool:
    level = [value] if type(value) in _CONTAINERS else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) in _CONTAINERS
        ]
    return bool(level)


def _is_text(value: Any) -> bool:
    """Whether all strings in it can be written as UTF-8."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise _DefectError("Number out of range")
    return value


def _integer(number: str) -> int:
    _finite(number)
    return int(number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise _DefectError("Duplicate key")
    return mapping


def _refuse(constant: str) -> NoReturn:
    raise _DefectError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_float=_finite,
    parse_int=_integer,
    parse_constant=_refuse,
)


#: Made once: a hostile body has a hundred thousand strings.
_LENIENT = json.JSONDecoder(strict=False)


def _check(text: str) -> None:
    """Raises StrictJsonError at the first defect that the standard parser would let pass."""
    levels: list[set[str]] = [set()]  # of each open bracket the keys seen in it
    for token in _TOKEN.finditer(text):
        if defect := _defect(token, levels):
            raise StrictJsonError(defect, text, token.start())


def _defect(token: re.Match[str], levels: list[set[str]]) -> str | None:
    """Takes one token in; answers with the defect it brings, if any."""
    match token.lastgroup:
        case "key":
            string = token["string"]
            return _string_defect(string) or _key_defect(string, levels[-1])
        case "open":
            levels.append(set())
            return f"Nested deeper than {MAX_DEPTH} levels" if len(levels) > MAX_DEPTH + 1 else None
        case "close":
            if len(levels) > 1:
                levels.pop()
            return None
        case "constant":
            return f"{token[0]} is not JSON"
        case "number":
            return _number_defect(token[0])
        case _:
            return _string_defect(token["string"])


def _number_defect(number: str) -> str | None:
    try:
        _finite(number)
    except _DefectError:
        return f"Number out of range: {_shown(number)}"
    except ValueError:
        return None  # not a number at all: the parser says so, and where
    return None


def _key_defect(token: str, keys: set[str]) -> str | None:
    try:
        key = _text_of(token)
    except ValueError:
        return None  # a broken escape: the parser says so, and where
    if key in keys:
        return f"Duplicate key {_shown(token)}"
    keys.add(key)
    return None


def _string_defect(token: str) -> str | None:
    """Escaped surrogates must come in pairs: half of a character cannot be stored as UTF-8."""
    if "\\" not in token or not _SURROGATE_ESCAPE.search(token):
        return None
    try:
        _text_of(token).encode()
    except UnicodeEncodeError:
        return "Lone surrogate in a string"
    except ValueError:
        return None  # a broken escape: the parser says so, and where
    return None


def _text_of(token: str) -> str:
    """What a string stands for. Raises ValueError where an escape is broken."""
    return str(_LENIENT.decode(token)) if "\\" in token else token[1:-1]


def _shown(token: str) -> str:
    return token if len(token) <= _SHOWN_LENGTH else f"{token[:_SHOWN_LENGTH]}…"
