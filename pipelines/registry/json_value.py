"""Whether a value is one that JSON can hold: configs also come from Python, YAML and Dagster."""

import math
from collections.abc import Iterator
from typing import Any

from pipelines.registry.problems import Problem, ProblemCode, field_name

MAX_DEPTH = 64
#: No config that is meant has as many; without a limit a verdict could take seconds.
MAX_VALUES = 20_000

_INVALID = ProblemCode.INVALID_VALUE
_RANGE = ProblemCode.VALUE_OUT_OF_RANGE
_TYPE = ProblemCode.INVALID_TYPE
_LARGEST_BITS = 1024  # beyond them an integer has no floating-point neighbour


def json_problems(config: Any, prefix: str) -> Iterator[Problem]:
    """A problem for each value in `config` that is not JSON, lazily. Cycles end at
    MAX_DEPTH.
    """
    values: list[tuple[tuple[str | int, ...], Any]] = [((), config)]
    seen = 0
    while values:
        path, value = values.pop()
        seen += 1
        if seen + len(values) + _size(value) > MAX_VALUES:
            yield Problem(prefix, f"More than {MAX_VALUES} values", _RANGE, "Send fewer")
            return
        if problem := _problem(value, path):
            message, code = problem
            yield Problem(field_name(prefix, path), message, code)
        elif isinstance(value, dict):
            values.extend(((*path, key), inner) for key, inner in reversed(value.items()))
        elif isinstance(value, list | tuple):
            values.extend(((*path, index), value[index]) for index in reversed(range(len(value))))


def _problem(value: Any, path: tuple[str | int, ...]) -> tuple[str, ProblemCode] | None:
    if isinstance(value, dict | list | tuple):
        return _container_problem(value, len(path))
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        return None if _is_text(value) else ("Lone surrogate in a string", _INVALID)
    if isinstance(value, int):
        return None if value.bit_length() <= _LARGEST_BITS else ("Number out of range", _RANGE)
    if isinstance(value, float):
        return None if math.isfinite(value) else (f"{value} is not a number in JSON", _INVALID)
    return f"Value must be JSON, not {type(value).__name__}", _TYPE


def _container_problem(
    value: dict[Any, Any] | list[Any] | tuple[Any, ...], depth: int
) -> tuple[str, ProblemCode] | None:
    if depth >= MAX_DEPTH:
        return f"Nested deeper than {MAX_DEPTH} levels", _INVALID
    if isinstance(value, dict) and not all(_is_key(key) for key in value):
        return "Keys must be strings", _TYPE
    return None


def _size(value: object) -> int:
    """How many values it holds itself."""
    return len(value) if isinstance(value, dict | list | tuple) else 0


def _is_key(key: object) -> bool:
    return isinstance(key, str) and _is_text(key)


def _is_text(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
