"""What `/openapi.json` says for people: each operation when to use it, and an example of everything
that goes in and out, which keeps to its schema.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

Operations = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="session")
def operations(described: dict[str, Any]) -> Operations:
    """By their ids."""
    return {
        operation["operationId"]: operation
        for methods in described["paths"].values()
        for operation in methods.values()
    }


def bodies(operation: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Where each body of the operation stands, and what is said of it."""
    for kind, body in operation.get("requestBody", {}).get("content", {}).items():
        yield f"the request as {kind}", body
    for status, answer in operation["responses"].items():
        for kind, body in answer.get("content", {}).items():
            yield f"the answer {status} as {kind}", body


def is_file(body: Mapping[str, Any]) -> bool:
    return bool(body["schema"].get("format") == "binary")


def test_the_document_is_valid(described: dict[str, Any]) -> None:
    validate(described)


def test_every_operation_says_what_it_does_and_when_to_use_it(operations: Operations) -> None:
    for name, operation in operations.items():
        assert operation["summary"], name
        assert len(operation["description"].split()) >= 8, name


def test_every_body_that_is_no_file_has_an_example(operations: Operations) -> None:
    for name, operation in operations.items():
        for place, body in bodies(operation):
            assert is_file(body) or body.get("examples"), f"{name}: {place}"


def test_every_example_keeps_to_its_schema(operations: Operations) -> None:
    for operation in operations.values():
        for _place, body in bodies(operation):
            for example in body.get("examples", {}).values():
                Draft202012Validator(body["schema"]).validate(example["value"])


def test_every_part_of_a_path_has_an_example(operations: Operations) -> None:
    for name, operation in operations.items():
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                assert parameter["example"], f"{name}: {parameter['name']}"


def test_every_error_answer_shows_each_of_its_codes(operations: Operations) -> None:
    for name, operation in operations.items():
        for status, codes in operation["x-error-codes"].items():
            examples = operation["responses"][status]["content"]["application/json"]["examples"]
            errors = [example["value"].get("error", {}) for example in examples.values()]
            assert {error["code"] for error in errors if error} == set(codes), (name, status)


def test_the_framework_has_said_nothing_in_our_place(operations: Operations) -> None:
    filled_in = re.compile(r"Successful Response|Additional Response|(Client|Server) Error")
    for name, operation in operations.items():
        for status, answer in operation["responses"].items():
            assert not filled_in.search(answer["description"]), (name, status)


def test_every_operation_is_in_a_group_that_is_described(
    described: dict[str, Any], operations: Operations
) -> None:
    groups = {tag["name"] for tag in described["tags"] if tag["description"]}
    assert {tag for operation in operations.values() for tag in operation["tags"]} == groups


def test_requests_go_to_where_the_document_was_found(described: dict[str, Any]) -> None:
    assert [server["url"] for server in described["servers"]] == ["/"]
