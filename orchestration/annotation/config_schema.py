"""A pipeline's Pydantic config as a Dagster config schema, so that the launchpad explains it.

The launchpad shows names, defaults and descriptions, and as the type what may be set. The one
validator checks everything again in the first op. What Dagster cannot express becomes `Any`.
"""

from collections.abc import Mapping
from typing import Any

from dagster import Any as AnyValue
from dagster import (
    Array,
    DagsterInvalidConfigError,
    Enum,
    EnumValue,
    Field,
    Noneable,
    Permissive,
    Shape,
)
from pydantic import BaseModel

from orchestration.annotation.limited_number import NUMBERS, LimitedNumber, limits_in_words

JsonSchema = Mapping[str, Any]

_SCALARS: Mapping[str, Any] = {"boolean": bool, "integer": int, "number": float, "string": str}


def config_schema(model: type[BaseModel]) -> Shape | Permissive:
    schema = model.model_json_schema(mode="validation")
    return _object(schema, schema.get("$defs", {}), model.__name__)


def _object(schema: JsonSchema, definitions: JsonSchema, name: str) -> Shape | Permissive:
    if "properties" not in schema:
        return Permissive()  # type: ignore[no-untyped-call] # dagster's own
    required = schema.get("required", [])
    return Shape(  # type: ignore[no-untyped-call] # dagster's own
        {
            key: _field(_resolve(part, definitions), definitions, key in required, f"{name}_{key}")
            for key, part in schema["properties"].items()
        }
    )


def _field(schema: JsonSchema, definitions: JsonSchema, required: bool, name: str) -> Field:  # noqa: FBT001 - positional within this file
    config = _type(schema, definitions, name)
    description = schema.get("description")
    default = schema.get("default")
    undecided = Field(config, is_required=required, description=description)
    if required or isinstance(default, dict | list) or default is None:
        return undecided
    try:
        return Field(config, default_value=default, is_required=False, description=description)
    except DagsterInvalidConfigError:  # a third party's default that is not of the field's type
        return undecided


def _type(schema: JsonSchema, definitions: JsonSchema, name: str) -> Any:
    schema = _resolve(schema, definitions)
    if "enum" in schema and all(isinstance(choice, str) for choice in schema["enum"]):
        return _choice(name, schema["enum"])
    if options := schema.get("anyOf"):
        return _optional(options, definitions, name)
    match schema.get("type"):
        case "object":
            return _object(schema, definitions, name)
        case "array":
            return Array(_type(schema.get("items", {}), definitions, f"{name}_item"))
        case str(scalar) if scalar in _SCALARS:
            return _scalar(scalar, schema, name)
        case _:
            return AnyValue


def _choice(name: str, choices: list[str]) -> Enum:
    choice = Enum(name, [EnumValue(each) for each in choices])
    choice.given_name = " | ".join(choices)  # what the launchpad shows of it
    return choice


def _scalar(kind: str, schema: JsonSchema, name: str) -> Any:
    if kind in NUMBERS and limits_in_words(schema):
        return LimitedNumber(name, kind, schema)
    return _SCALARS[kind]


def _optional(options: list[JsonSchema], definitions: JsonSchema, name: str) -> Any:
    """`X | None` is what Dagster can say; any other union is left to the validator."""
    given = [option for option in options if option.get("type") != "null"]
    if len(given) == 1 and len(options) > 1:
        return Noneable(_type(given[0], definitions, name))
    return AnyValue


def _resolve(schema: JsonSchema, definitions: JsonSchema) -> JsonSchema:
    """Follows a `$ref`; what stands beside it (description, default) wins."""
    reference = schema.get("$ref")
    if reference is None:
        return schema
    beside = {key: value for key, value in schema.items() if key != "$ref"}
    return {**definitions[reference.rsplit("/", 1)[-1]], **beside}
