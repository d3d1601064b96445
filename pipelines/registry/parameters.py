"""A config's JSON Schema as a flat list of parameters, for clients that build forms from it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from pipelines.registry.schema import Schema, alternatives, describe

_PLAIN = frozenset({"boolean", "string", "integer", "number"})
_STEPS_PER_RANGE = 100


@dataclass(frozen=True)
class Parameter:
    """One field of a form. `type` is boolean, string, integer, number, enum, multiselect or
    object (for everything that has no control of its own: edit it as JSON).

    `minimum` and `maximum` are the limits that a control can hold; an excluded limit of a
    number is given as the limit itself, and validation has the last word.
    """

    name: str
    type: str
    label: str
    description: str
    required: bool
    default: Any
    group: str
    advanced: bool
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[Any, ...] = ()


def parameters_of(model: type[BaseModel]) -> list[Parameter]:
    """In the order of the fields. Raises whatever describing a third party's model raises."""
    document = describe(model)
    required = document.get("required", ())
    return [
        _parameter(name, schema, document, required=name in required)
        for name, schema in document.get("properties", {}).items()
    ]


def _parameter(name: str, outer: Schema, document: Schema, *, required: bool) -> Parameter:
    schema, kind = _kind(outer, document)
    minimum, maximum = _limits(schema, kind)
    return Parameter(
        name=name,
        type=kind,
        label=outer.get("title") or name.replace("_", " ").capitalize(),
        description=outer.get("description") or schema.get("description", ""),
        required=required,
        default=outer.get("default"),
        group=str(outer.get("group", "General")),
        advanced=bool(outer.get("advanced", False)),
        minimum=minimum,
        maximum=maximum,
        step=_step(schema, kind, (minimum, maximum), outer.get("default")),
        choices=_choices(schema, kind, document),
    )


def _kind(outer: Schema, document: Schema) -> tuple[Schema, str]:
    """The one schema of the field, null left aside, and its type in a form."""
    schemas = [one for one in alternatives(document, outer) if one.get("type") != "null"]
    if len(schemas) != 1:
        return {}, "object"
    schema = schemas[0]
    if _values(schema):
        return schema, "enum"
    if schema.get("type") == "array" and _item_values(schema, document):
        return schema, "multiselect"
    kind = schema.get("type")
    return schema, kind if kind in _PLAIN else "object"


def _values(schema: Schema) -> tuple[Any, ...]:
    return tuple(schema.get("enum", (schema["const"],) if "const" in schema else ()))


def _item_values(schema: Schema, document: Schema) -> tuple[Any, ...]:
    items = schema.get("items")
    if not isinstance(items, Mapping):
        return ()
    schemas = list(alternatives(document, items))
    return _values(schemas[0]) if len(schemas) == 1 else ()


def _choices(schema: Schema, kind: str, document: Schema) -> tuple[Any, ...]:
    if kind == "multiselect":
        return _item_values(schema, document)
    return _values(schema) if kind == "enum" else ()


def _limits(schema: Schema, kind: str) -> tuple[float | None, float | None]:
    if kind not in {"integer", "number"}:
        return None, None
    beyond = 1 if kind == "integer" else 0
    lowest = [schema.get("minimum"), _plus(schema.get("exclusiveMinimum"), beyond)]
    highest = [schema.get("maximum"), _plus(schema.get("exclusiveMaximum"), -beyond)]
    return _extreme(max, lowest), _extreme(min, highest)


def _plus(limit: float | None, amount: int) -> float | None:
    return None if limit is None else limit + amount


def _extreme(choose: Any, limits: Sequence[float | None]) -> float | None:
    known = [limit for limit in limits if limit is not None]
    return choose(known) if known else None


def _step(
    schema: Schema, kind: str, limits: tuple[float | None, float | None], default: object
) -> float | None:
    """What one press of a button changes: a power of ten, at most a hundredth of the range, with
    which the default can be reached from the minimum.
    """
    if kind not in {"integer", "number"}:
        return None
    if "multipleOf" in schema:
        step: float = schema["multipleOf"]
        return step
    if kind == "integer":
        return 1
    exponents = [*_exponent_of_range(*limits), *_exponent_of_default(limits[0], default)]
    return float(f"1e{min(exponents)}") if exponents else None


def _exponent_of_range(minimum: float | None, maximum: float | None) -> list[int]:
    if minimum is None or maximum is None or maximum <= minimum:
        return []
    return [math.floor(math.log10((maximum - minimum) / _STEPS_PER_RANGE))]


def _exponent_of_default(minimum: float | None, default: object) -> list[int]:
    """Of the last decimal place of the default, counted from the minimum, as forms do."""
    if not isinstance(default, int | float) or not math.isfinite(default):
        return []
    distance = Decimal(str(default)) - Decimal(str(minimum or 0))
    exponent = distance.normalize().as_tuple().exponent
    return [exponent] if distance and isinstance(exponent, int) else []
