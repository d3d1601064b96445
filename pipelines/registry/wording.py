"""The words of a problem: messages that name the limits, hints that say what to write instead."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic_core import ErrorDetails
from rapidfuzz import fuzz, process

from pipelines.registry.schema import Schema

_NEAR = 60  # of 100: "treshold" is near "threshold", "mode" is not
_SHOWN_NAMES = 20
_EMPTY: tuple[object, ...] = (None, "", [], {})  # no examples
_KINDS = {
    "int": "an integer",
    "float": "a number",
    "decimal": "a number",
    "string": "a string",
    "enum": "a string",
    "bool": "a boolean",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen": "a list",
    "iterable": "a list",
    "dict": "an object",
    "mapping": "an object",
    "model": "an object",
    "dataclass": "an object",
    "none": "null",
    "date": "a date",
    "datetime": "a date and time",
    "time": "a time",
    "bytes": "a string",
    "url": "a string",
    "uuid": "a string",
    "path": "a string",
}
#: How a limit is said, by JSON Schema keyword.
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "greater than {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "less than {}",
}
_LENGTHS = (("minLength", "maxLength", "characters"), ("minItems", "maxItems", "items"))


def clean(text: str, limit: int = 500) -> str:
    """Text that can be sent on: bounded, and without halves of characters."""
    text = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return text.encode(errors="replace").decode()


def names(known: Iterable[str]) -> str:
    """A list for people, bounded."""
    every = list(known)
    rest = len(every) - _SHOWN_NAMES
    shown = ", ".join(clean(name, limit=80) for name in every[:_SHOWN_NAMES])
    return f"{shown} and {rest} more" if rest > 0 else shown


def nearest(name: str, known: Sequence[str]) -> str | None:
    match = process.extractOne(name[:80], known, scorer=fuzz.ratio, score_cutoff=_NEAR)
    return match[0] if match else None


def missing_hint(name: str | int | None, schemas: Sequence[Schema]) -> str:
    if not isinstance(name, str):
        return "Add the missing item"
    description = next((schema["description"] for schema in schemas if "description" in schema), "")
    return clean(f"Add '{name}'" + (f": {description}" if description else ""))


def unknown_hint(name: str, parents: Sequence[Schema]) -> str | None:
    known = list(dict.fromkeys(key for schema in parents for key in schema.get("properties", ())))
    if near := nearest(name, known):
        return f"Did you mean '{near}'?"
    return f"Known fields: {names(known)}" if known else "Remove it"


def wrong_type(errors: Sequence[ErrorDetails], schemas: Sequence[Schema]) -> tuple[str, str | None]:
    kinds = [_KINDS.get(error["type"].split("_")[0]) for error in errors]
    expected = list(dict.fromkeys(kind for kind in kinds if kind))
    if not expected:
        return errors[0]["msg"], example_hint(schemas)
    value = errors[0]["input"]
    message = f"Value must be {' or '.join(expected)}, not {_kind_of(value)}"
    numeric = {"a number", "an integer"} & set(expected)
    if numeric and isinstance(value, str) and _is_number(value):
        return message, f"Write {value.strip()} without quotes"
    return message, example_hint(schemas)


def wrong_choice(
    errors: Sequence[ErrorDetails], schemas: Sequence[Schema]
) -> tuple[str, str | None]:
    choices = list(dict.fromkeys(choice for schema in schemas for choice in _choices(schema)))
    expected = names(choices) or errors[0].get("ctx", {}).get("expected", "the known values")
    message = f"Value must be one of: {expected}"
    value = errors[0]["input"]
    near = nearest(value, choices) if isinstance(value, str) else None
    return message, f"Did you mean '{near}'?" if near else example_hint(schemas)


def out_of_range(error: ErrorDetails, schemas: Sequence[Schema]) -> tuple[str, str | None]:
    for schema in schemas:
        if limits := _limits(schema):
            return limits, _range_hint(schema)
    return error["msg"].replace("Input should", "Value must", 1), example_hint(schemas)


def invalid(error: ErrorDetails) -> str:
    """A validator's own words, or Pydantic's."""
    message = error["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return message.replace("Input should", "Value must", 1) or "Value is not valid"


def example_hint(schemas: Sequence[Schema]) -> str | None:
    for schema in schemas:
        if schema.get("default") not in _EMPTY:
            return clean(f"Use a value like {_written(schema['default'])}", limit=200)
    return None


def _kind_of(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number" if isinstance(value, int) else f"{value}"
        case str():
            return "a string"
        case list() | tuple():
            return "a list"
        case _:
            return "an object"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return len(text) <= _SHOWN_NAMES


def _choices(schema: Schema) -> list[str]:
    every = schema.get("enum", [schema["const"]] if "const" in schema else [])
    return [choice if isinstance(choice, str) else _written(choice) for choice in every]


def _limits(schema: Schema) -> str | None:
    for lower, upper, unit in _LENGTHS:
        if lower in schema or upper in schema:
            return f"Value must have {_span(schema.get(lower), schema.get(upper))} {unit}"
    if "minimum" in schema and "maximum" in schema:
        return f"Value must be between {_bound(schema, 'minimum')} and {_bound(schema, 'maximum')}"
    limits = [
        words.format(_bound(schema, keyword))
        for keyword, words in _BOUNDS.items()
        if keyword in schema
    ]
    return f"Value must be {' and '.join(limits)}" if limits else None


def _bound(schema: Schema, keyword: str) -> int | float | str:
    """A limit in the field's own type: 1.0 where 0.5 is a value, too."""
    bound: int | float | str = schema[keyword]
    return float(bound) if schema.get("type") == "number" else bound


def _span(lower: int | None, upper: int | None) -> str:
    if upper is None:
        return f"at least {lower}"
    if lower is None:
        return f"at most {upper}"
    return f"exactly {lower}" if lower == upper else f"between {lower} and {upper}"


def _range_hint(schema: Schema) -> str | None:
    if hint := example_hint([schema]):
        return hint
    if "minimum" not in schema or "maximum" not in schema:
        return None
    middle = (schema["minimum"] + schema["maximum"]) / 2
    return f"Use a value like {int(middle) if schema.get('type') == 'integer' else middle}"


def _written(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
