"""The app and its contracts agree, operation by operation, in both directions."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

#: Words for people: they may differ.
ANNOTATIONS = {
    "title",
    "description",
    "example",
    "examples",
}

Operations = dict[tuple[str, str], Mapping[str, Any]]


@pytest.fixture(scope="session")
def agreed(contracts: Any) -> Operations:
    operations: Operations = {}
    for file, method, path, operation in contracts.operations():
        assert (method, path) not in operations, "two contracts of one operation"
        default = contracts.documents[file].get("security", [])
        operations[method, path] = {"security": default} | contracts.resolved(operation, file)
    return operations


@pytest.fixture(scope="session")
def served(described: dict[str, Any]) -> Operations:
    return {
        (method, path): operation
        for path, methods in described["paths"].items()
        for method, operation in methods.items()
    }


def canonical(schema: Any) -> Any:
    """A schema in one of the several ways in which the same can be said."""
    if isinstance(schema, list):
        return [canonical(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: value for key, value in schema.items() if key not in ANNOTATIONS}
    if "properties" in plain:  # names of fields may be those of annotations
        plain["properties"] = {
            name: canonical(value) for name, value in schema["properties"].items()
        }
    if "const" in plain:
        plain["enum"] = [plain.pop("const")]
    if plain.get("enum") and all(isinstance(item, str) for item in plain["enum"]):
        plain["type"] = "string"
    if plain.get("additionalProperties") is True:
        del plain["additionalProperties"]
    if isinstance(plain.get("type"), list):
        kinds = plain.pop("type")
        plain = {
            "anyOf": [
                {"type": "null"} if kind == "null" else plain | {"type": kind} for kind in kinds
            ]
        }
    result = {
        key: value if key == "properties" else canonical(value) for key, value in plain.items()
    }
    for unordered in ("required", "enum", "anyOf"):
        if unordered in result:
            result[unordered] = sorted(result[unordered], key=_written)
    return result


def _written(item: Any) -> str:
    return json.dumps(item, sort_keys=True)


def bodies(content: Mapping[str, Any]) -> dict[str, Any]:
    return {kind: canonical(body.get("schema", {})) for kind, body in content.items()}


def parameters(operation: Mapping[str, Any]) -> dict[tuple[str, str], Any]:
    return {
        (each["in"], each["name"].lower()): (
            each.get("required", False),
            canonical(each["schema"]),
        )
        for each in operation.get("parameters", [])
    }


def headers(response: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name.lower(): (header.get("required", False), canonical(header["schema"]))
        for name, header in response.get("headers", {}).items()
    }


def codes(operation: Mapping[str, Any]) -> dict[str, list[str]]:
    return {status: sorted(listed) for status, listed in operation["x-error-codes"].items()}


def security(operation: Mapping[str, Any]) -> set[str]:
    return {next(iter(way), "nobody") for way in operation.get("security", [])}


def test_the_app_serves_what_is_agreed_and_nothing_else(
    agreed: Operations, served: Operations
) -> None:
    assert served.keys() == agreed.keys()


def test_operations_have_the_agreed_names(agreed: Operations, served: Operations) -> None:
    for place, operation in agreed.items():
        assert served[place]["operationId"] == operation["operationId"]


def test_operations_take_the_agreed_parameters(agreed: Operations, served: Operations) -> None:
    for place, operation in agreed.items():
        assert parameters(served[place]) == parameters(operation), place


def test_operations_take_the_agreed_bodies(agreed: Operations, served: Operations) -> None:
    for place, operation in agreed.items():
        ours = served[place].get("requestBody", {"content": {}})
        theirs = operation.get("requestBody", {"content": {}})
        assert ours.get("required", False) == theirs.get("required", False), place
        assert bodies(ours["content"]) == bodies(theirs["content"]), place


def test_operations_answer_with_the_agreed_statuses(agreed: Operations, served: Operations) -> None:
    for place, operation in agreed.items():
        assert sorted(served[place]["responses"]) == sorted(operation["responses"]), place


def test_operations_answer_with_the_agreed_bodies(agreed: Operations, served: Operations) -> None:
    for place, operation in agreed.items():
        for status, response in operation["responses"].items():
            ours = served[place]["responses"][status].get("content", {})
            assert bodies(ours) == bodies(response.get("content", {})), (place, status)


def test_operations_answer_with_the_agreed_headers(agreed: Operations, served: Operations) -> None:
    for place, operation in agreed.items():
        for status, response in operation["responses"].items():
            assert headers(served[place]["responses"][status]) == headers(response), (place, status)


def test_operations_answer_with_the_agreed_codes(agreed: Operations, served: Operations) -> None:
    for place, operation in agreed.items():
        assert codes(served[place]) == codes(operation), place


def test_operations_ask_for_the_agreed_keys(agreed: Operations, served: Operations) -> None:
    for place, operation in agreed.items():
        assert security(served[place]) == security(operation), place


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"type": "string"}, {"type": "integer"}),
        ({"type": "object", "required": ["a"]}, {"type": "object", "required": []}),
        (
            {"type": "object", "properties": {"title": {"type": "string"}}},
            {"type": "object", "properties": {}},
        ),
        ({"type": ["string", "null"]}, {"type": "string"}),
        ({"enum": ["a"]}, {"enum": ["a", "b"]}),
        ({"type": "number", "maximum": 1}, {"type": "number"}),
        ({"type": "integer", "default": 1}, {"type": "integer", "default": 2}),
        ({"type": "string", "format": "date-time"}, {"type": "string"}),
    ],
)
def test_a_difference_is_seen(ours: Any, theirs: Any) -> None:
    assert canonical(ours) != canonical(theirs)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"type": ["string", "null"]}, {"anyOf": [{"type": "null"}, {"type": "string"}]}),
        ({"type": "string", "title": "A"}, {"type": "string", "description": "b"}),
        ({"const": "a"}, {"type": "string", "enum": ["a"]}),
        ({"type": "object", "additionalProperties": True}, {"type": "object"}),
    ],
)
def test_another_way_to_say_the_same_is_no_difference(ours: Any, theirs: Any) -> None:
    assert canonical(ours) == canonical(theirs)
