"""A config's JSON Schema, and the parts of it that speak of one field."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from pydantic import BaseModel

Schema: TypeAlias = Mapping[str, Any]
Path: TypeAlias = Sequence[str | int]


class SchemaUnavailableError(Exception):
    """A pipeline is registered, but its config model cannot be loaded or described."""

    def __init__(self, pipeline: str, reason: str) -> None:
        super().__init__(f"The schema of pipeline '{pipeline}' cannot be loaded: {reason}")
        self.pipeline = pipeline
        self.reason = reason


@cache
def describe(model: type[BaseModel]) -> Schema:
    """The model's JSON Schema (2020-12). Raises whatever a third party's model raises."""
    return model.model_json_schema()


def schemas_at(document: Schema, path: Path) -> list[Schema]:
    """The schemas that hold for the value at `path`: several where the field is a union."""
    schemas: Iterable[Schema] = alternatives(document, document)
    for part in path:
        schemas = [found for schema in schemas for found in _descend(document, schema, part)]
    return list(schemas)


def alternatives(document: Schema, schema: Schema) -> Iterator[Schema]:
    """The schema itself with `$ref` resolved, or each branch where it is a union."""
    yield from _alternatives(document, schema, frozenset())


def _alternatives(document: Schema, schema: Schema, seen: frozenset[str]) -> Iterator[Schema]:
    reference = schema.get("$ref")
    if reference in seen:
        return
    if reference is not None:
        outer = {key: value for key, value in schema.items() if key != "$ref"}
        inner = {**_resolve(document, reference), **outer}
        yield from _alternatives(document, inner, seen | {reference})
        return
    branches = [*schema.get("anyOf", ()), *schema.get("oneOf", ()), *schema.get("allOf", ())]
    if not branches:
        yield schema
    about = {key: schema[key] for key in ("default", "description", "title") if key in schema}
    for branch in branches:
        yield from _alternatives(document, {**branch, **about}, seen)


def _resolve(document: Schema, reference: str) -> Schema:
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    resolved: Schema = found
    return resolved


def _descend(document: Schema, schema: Schema, part: str | int) -> Iterator[Schema]:
    inner = _member(schema, part) if isinstance(part, str) else _item(schema, part)
    if isinstance(inner, Mapping):
        yield from alternatives(document, inner)


def _member(schema: Schema, name: str) -> Any:
    properties = schema.get("properties", {})
    return properties.get(name, schema.get("additionalProperties"))


def _item(schema: Schema, index: int) -> Any:
    prefix = schema.get("prefixItems", ())
    return prefix[index] if index < len(prefix) else schema.get("items")
