"""A number with limits as a Dagster config type: beyond them, no run starts.

Dagster's launchpad checks types as one writes, and these limits when "Launch Run" is pressed.
"""

from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Any

from orchestration.dagster_internals.config_types import (
    ConfigScalar,
    ConfigScalarKind,
    PostProcessingError,
)

#: JSON Schema's kinds of numbers, as Dagster names them.
NUMBERS = {"integer": ("Int", ConfigScalarKind.INT), "number": ("Float", ConfigScalarKind.FLOAT)}
#: JSON Schema's words for limits: how people say them, and what a value must be.
_LIMITS: Mapping[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "minimum": ("at least", ge),
    "exclusiveMinimum": ("more than", gt),
    "maximum": ("at most", le),
    "exclusiveMaximum": ("less than", lt),
}


class LimitedNumber(ConfigScalar):
    """`schema` is the field's JSON Schema, `key` a name that no other type has."""

    def __init__(self, key: str, kind: str, schema: Mapping[str, Any]) -> None:
        name, scalar_kind = NUMBERS[kind]
        super().__init__(key, f"{name}, {limits_in_words(schema)}", scalar_kind)
        self._schema = schema

    def post_process(self, value: Any) -> Any:
        """Dagster's hook for what types cannot say."""
        limits = [limit for limit in _LIMITS if limit in self._schema]
        if not all(_LIMITS[limit][1](value, self._schema[limit]) for limit in limits):
            raise PostProcessingError(f"{value} is out of range: {limits_in_words(self._schema)}.")
        return value


def limits_in_words(schema: Mapping[str, Any]) -> str:
    """Such as "at least 0, at most 1"; empty where there are none."""
    return ", ".join(
        f"{words} {schema[limit]}" for limit, (words, _) in _LIMITS.items() if limit in schema
    )
