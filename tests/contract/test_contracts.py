"""The contracts are valid, name every code, and every example in them keeps to its schema."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate
from openapi_spec_validator.readers import read_from_filename

FOLDER = Path(__file__).parents[2] / "contracts"
FILES = sorted(path.name for path in FOLDER.glob("*.yaml"))
ENVELOPE = "error-envelope.yaml"
#: The other contracts refer to them, and have the schema beside them.
ERROR_EXAMPLES = "error-examples.yaml"


def test_all_contracts_are_there() -> None:
    assert {
        "job-cancellation.yaml",
        "config-validation.yaml",
        "health.yaml",
        "error-envelope.yaml",
        "job-submission.yaml",
        "jobs.yaml",
        "job-results.yaml",
        "pipelines.yaml",
        "events.yaml",
    } <= set(FILES)


@pytest.mark.parametrize("file", FILES)
def test_a_contract_is_valid_openapi(file: str) -> None:
    document, base_uri = read_from_filename(str(FOLDER / file))
    validate(document, base_uri=base_uri)
    assert str(document["openapi"]).startswith("3.1")


def test_a_reference_that_leads_nowhere_would_be_noticed(contracts: Any) -> None:
    with pytest.raises(KeyError):
        contracts.resolved({"$ref": f"./{ENVELOPE}#/components/schemas/Nowhere"}, "health.yaml")


def test_the_index_names_every_contract() -> None:
    index = (FOLDER / "README.md").read_text()
    for file in FILES:
        assert f"](./{file})" in index


def test_every_code_of_the_brief_has_its_status(contracts: Any) -> None:
    codes = contracts.documents[ENVELOPE]["x-error-codes"]
    rows = re.findall(r"\| `(\w+)` \| (\d+) \|", (FOLDER / "README.md").read_text())
    assert len(rows) >= 10
    for code, status in rows:
        assert int(status) in _statuses(codes[code]), code


def test_the_enumerated_codes_are_those_with_a_meaning(contracts: Any) -> None:
    document = contracts.documents[ENVELOPE]
    enumerated = document["components"]["schemas"]["ErrorCode"]["enum"]
    assert sorted(enumerated) == sorted(document["x-error-codes"])


def test_each_operation_lists_codes_for_exactly_its_error_statuses(contracts: Any) -> None:
    codes = contracts.documents[ENVELOPE]["x-error-codes"]
    for _file, method, path, operation in contracts.operations():
        place = f"{method} {path}"
        errors = {status for status in operation["responses"] if status >= "400"}
        assert errors == set(operation["x-error-codes"]), place
        for status, listed in operation["x-error-codes"].items():
            for code in listed:
                assert int(status) in _statuses(codes[code]), f"{place}: {code}"


def test_every_error_answer_is_the_one_envelope(contracts: Any) -> None:
    envelope = contracts.resolved({"$ref": "#/components/schemas/ErrorEnvelope"}, ENVELOPE)
    for file, method, path, operation in contracts.operations():
        responses = contracts.resolved(operation["responses"], file)
        for status in operation["x-error-codes"]:
            schema = responses[status]["content"]["application/json"]["schema"]
            # A part that is broken is no error of the health answer itself.
            assert envelope in schema.get("anyOf", [schema]), f"{method} {path} {status}"


def test_every_error_answer_shows_each_of_its_codes(contracts: Any) -> None:
    for file, method, path, operation in contracts.operations():
        responses = contracts.resolved(operation["responses"], file)
        for status, codes in operation["x-error-codes"].items():
            examples = responses[status]["content"]["application/json"]["examples"]
            errors = [example["value"].get("error", {}) for example in examples.values()]
            shown = {error["code"] for error in errors if error}
            assert shown == set(codes), f"{method} {path} {status}"


def test_every_error_example_is_shown_somewhere(contracts: Any) -> None:
    written = "".join((FOLDER / file).read_text() for file in FILES)
    for name in contracts.documents[ERROR_EXAMPLES]["components"]["examples"]:
        assert f"{ERROR_EXAMPLES}#/components/examples/{name}" in written


def test_every_operation_says_what_it_is_for(contracts: Any) -> None:
    seen = set()
    for _file, method, path, operation in contracts.operations():
        assert operation["summary"], f"{method} {path}"
        assert operation["description"], f"{method} {path}"
        assert all(response for response in operation["responses"].values())
        seen.add(operation["operationId"])
    assert len(seen) == len(list(contracts.operations()))


def _statuses(code: dict[str, Any]) -> list[int]:
    status = code["status"]
    return status if isinstance(status, list) else [status]


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of a contract, but for what stands in an example."""
    if isinstance(node, list):
        for item in node:
            yield from _nodes(item)
    elif isinstance(node, dict):
        yield node
        for key, item in node.items():
            if key not in {"example", "examples"}:
                yield from _nodes(item)


def _examples(node: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The examples that stand in an object, each with its schema."""
    examples = node.get("examples", [])
    if isinstance(node.get("schema"), dict):
        for example in examples.values() if isinstance(examples, dict) else ():
            yield node["schema"], example["value"]
        if "example" in node:
            yield node["schema"], node["example"]
    elif isinstance(examples, list):
        for example in examples:
            yield node, example


@pytest.mark.parametrize("file", [file for file in FILES if file != ERROR_EXAMPLES])
def test_every_example_keeps_to_its_schema(contracts: Any, file: str) -> None:
    document = contracts.resolved(yaml.safe_load((FOLDER / file).read_text()), file)
    examples = [pair for node in _nodes(document) for pair in _examples(node)]
    assert examples
    for schema, example in examples:
        Draft202012Validator(schema).validate(example)
