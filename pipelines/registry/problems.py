"""What is wrong with a config, in words and codes that a person or a form can act on.

`problems_of` turns Pydantic's errors into problems: it finds the place in the posted value (not
in the model's internals), the code, the message with the limits that hold there, and a hint.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic_core import ErrorDetails

from pipelines.registry import wording
from pipelines.registry.schema import Path, Schema, schemas_at


class ProblemCode(StrEnum):
    PIPELINE_NOT_FOUND = "PIPELINE_NOT_FOUND"
    VALUE_OUT_OF_RANGE = "VALUE_OUT_OF_RANGE"
    INVALID_TYPE = "INVALID_TYPE"
    MISSING_REQUIRED_FIELD = "MISSING_REQUIRED_FIELD"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    INVALID_CHOICE = "INVALID_CHOICE"
    INVALID_VALUE = "INVALID_VALUE"


@dataclass(frozen=True)
class Problem:
    """One thing that must be corrected; `field` is a dotted path such as `config.items.0.name`."""

    field: str
    message: str
    code: ProblemCode
    hint: str | None = None


@dataclass(frozen=True)
class Caution:
    """The config is usable, but probably not what was meant."""

    field: str
    message: str
    suggestion: str | None = None


@dataclass(frozen=True)
class _Branch:
    """A branch of a union in Pydantic's location of an error: `union` is what comes before it."""

    union: tuple[str | int, ...]
    tag: str | int


@dataclass(frozen=True)
class _Place:
    """A Pydantic error, and where in the posted value it stands."""

    path: tuple[str | int, ...]
    branches: tuple[_Branch, ...]
    code: ProblemCode
    error: ErrorDetails


_TAG = re.compile(r"'(\w+)'")
_RANGE = re.compile(r"(greater|less)_than|too_(short|long|big|small)|(date|datetime)_(past|future)")
_SHAPE = {ProblemCode.MISSING_REQUIRED_FIELD, ProblemCode.UNKNOWN_FIELD}
_FAR = 1000  # an error of shape weighs more than any number of wrong values
_CODES = {
    "missing": ProblemCode.MISSING_REQUIRED_FIELD,
    "missing_argument": ProblemCode.MISSING_REQUIRED_FIELD,
    "missing_keyword_only_argument": ProblemCode.MISSING_REQUIRED_FIELD,
    "missing_positional_only_argument": ProblemCode.MISSING_REQUIRED_FIELD,
    "union_tag_not_found": ProblemCode.MISSING_REQUIRED_FIELD,
    "extra_forbidden": ProblemCode.UNKNOWN_FIELD,
    "unexpected_keyword_argument": ProblemCode.UNKNOWN_FIELD,
    "enum": ProblemCode.INVALID_CHOICE,
    "literal_error": ProblemCode.INVALID_CHOICE,
    "union_tag_invalid": ProblemCode.INVALID_CHOICE,
    "int_parsing_size": ProblemCode.VALUE_OUT_OF_RANGE,
    "int_from_float": ProblemCode.INVALID_TYPE,
    "none_required": ProblemCode.INVALID_TYPE,
}


def problems_of(
    errors: Sequence[ErrorDetails], config: Any, document: Schema, prefix: str, limit: int
) -> tuple[list[Problem], int]:
    """At most `limit` problems, one per place and code in the order of the model's fields; and
    how many there are beyond them.
    """
    places = [_place(error, config, document) for error in errors]
    groups = _grouped(_best(places))
    problems = [_problem(group, document, prefix) for group in groups[:limit]]
    return problems, len(groups) - len(problems)


def field_name(prefix: str, path: Path) -> str:
    return ".".join([prefix, *(wording.clean(str(part), limit=80) for part in path)])


def _place(error: ErrorDetails, config: Any, document: Schema) -> _Place:
    kind = error["type"]
    missing = kind.startswith("missing")
    path, branches = _path(error["loc"], config, document, missing=missing)
    if kind.startswith("union_tag"):
        tag = _TAG.fullmatch(error["ctx"]["discriminator"])
        path = (*path, tag[1]) if tag else path
    return _Place(path, branches, _code(kind), error)


def _path(
    location: tuple[str | int, ...], config: Any, document: Schema, *, missing: bool
) -> tuple[tuple[str | int, ...], tuple[_Branch, ...]]:
    """Pydantic's location, divided into steps in the value and names of branches and validators."""
    path: list[str | int] = []
    branches: list[_Branch] = []
    value = config
    for index, part in enumerate(location):
        last = index == len(location) - 1
        if _holds(value, part):
            value = value[part]
        elif (missing and last) or _declared(part, path, document):
            value = None  # absent: required, or with a default that is not valid itself
        else:
            branches.append(_Branch(location[:index], part))
            continue
        path.append(part)
    return tuple(path), tuple(branches)


def _holds(value: Any, part: str | int) -> bool:
    if isinstance(value, dict):
        return part in value
    return isinstance(value, list | tuple) and isinstance(part, int) and part < len(value)


def _declared(part: str | int, path: Path, document: Schema) -> bool:
    return any(part in schema.get("properties", ()) for schema in schemas_at(document, path))


def _code(kind: str) -> ProblemCode:
    if code := _CODES.get(kind):
        return code
    if kind.endswith("_type"):
        return ProblemCode.INVALID_TYPE
    return ProblemCode.VALUE_OUT_OF_RANGE if _RANGE.search(kind) else ProblemCode.INVALID_VALUE


def _best(places: Sequence[_Place]) -> list[_Place]:
    """Of each union the branches that come nearest to the value: the others' errors mislead."""
    distances: dict[tuple[str | int, ...], Counter[str | int]] = defaultdict(Counter)
    for place in places:
        for branch in place.branches:
            distances[branch.union][branch.tag] += _FAR if place.code in _SHAPE else 1
    nearest = {union: min(tags.values()) for union, tags in distances.items()}
    return [
        place
        for place in places
        if all(distances[at.union][at.tag] == nearest[at.union] for at in place.branches)
    ]


def _grouped(places: Sequence[_Place]) -> list[list[_Place]]:
    """Places of one path and code together; a union's branches of another type are left out
    where a branch of the right type has something better to say.
    """
    better = {place.path for place in places if place.code is not ProblemCode.INVALID_TYPE}
    better |= {place.path[:end] for place in places for end in range(len(place.path))}
    groups: dict[tuple[object, ...], list[_Place]] = {}
    for place in places:
        if place.code is ProblemCode.INVALID_TYPE and place.path in better:
            continue
        groups.setdefault((place.code, *place.path), []).append(place)
    return list(groups.values())


def _problem(group: Sequence[_Place], document: Schema, prefix: str) -> Problem:
    place, errors = group[0], [place.error for place in group]
    name = place.path[-1] if place.path else None
    schemas = schemas_at(document, place.path)
    parents = schemas_at(document, place.path[:-1])
    message, hint = _words(place.code, errors, name, schemas, parents)
    return Problem(field_name(prefix, place.path), wording.clean(message), place.code, hint)


def _words(
    code: ProblemCode,
    errors: Sequence[ErrorDetails],
    name: str | int | None,
    schemas: Sequence[Schema],
    parents: Sequence[Schema],
) -> tuple[str, str | None]:
    match code:
        case ProblemCode.MISSING_REQUIRED_FIELD:
            return "Field is required", wording.missing_hint(name, schemas)
        case ProblemCode.UNKNOWN_FIELD:
            return "Unknown field", wording.unknown_hint(str(name), parents)
        case ProblemCode.INVALID_TYPE:
            return wording.wrong_type(errors, schemas)
        case ProblemCode.INVALID_CHOICE:
            return wording.wrong_choice(errors, schemas)
        case ProblemCode.VALUE_OUT_OF_RANGE:
            return wording.out_of_range(errors[0], schemas)
        case _:
            return wording.invalid(errors[0]), wording.example_hint(schemas)
