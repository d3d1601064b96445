"""What a GraphQL document is taken for."""

import json

import pytest
from graphql import parse

from api.door.question import mutations_of, read_query_string, read_question
from api.errors import InvalidRequestError
from tests.api.door.documents import MUTATIONS, NOT_UNDERSTOOD, QUERIES


@pytest.mark.parametrize("document", QUERIES.values(), ids=QUERIES)
def test_looking_changes_nothing_whatever_words_it_holds(document: str) -> None:
    assert not mutations_of(document)


@pytest.mark.parametrize("document", MUTATIONS.values(), ids=MUTATIONS)
def test_a_mutation_anywhere_in_the_document_mutations_of(document: str) -> None:
    assert parse(document)  # Dagster would understand it
    assert mutations_of(document)


@pytest.mark.parametrize("document", NOT_UNDERSTOOD.values(), ids=NOT_UNDERSTOOD)
def test_what_cannot_be_understood_is_refused(document: str) -> None:
    with pytest.raises(InvalidRequestError):
        mutations_of(document)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "{ version }",
        [{"query": "{ version }"}],
        [],
        {},
        {"query": None},
        {"query": ["{ version }"]},
        {"query": {"kind": "Document"}},
        {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "a" * 64}}},
        {"id": "a" * 64},
        {"query": "{ version }", "variables": [1]},
        {"query": "{ version }", "variables": "[1]"},
        {"query": "{ version }", "variables": "{"},
        {"query": "{ version }", "operationName": 1},
    ],
    ids=str,
)
def test_only_one_whole_question_is_taken(value: object) -> None:
    with pytest.raises(InvalidRequestError):
        read_question(value)


def test_the_question_is_written_anew_and_nothing_else_comes_along() -> None:
    given = {"query": "{ version }", "variables": '{"a": 1}', "operationName": "A", "extra": 1}
    written = json.loads(read_question(given).to_json())

    assert written == {"query": "{ version }", "variables": {"a": 1}, "operationName": "A"}


@pytest.mark.parametrize(
    "text",
    [
        "query=%7B+version+%7D&query=mutation%7Bx%7D",
        "query=mutation%7Bx%7D&query=%7B+version+%7D",
        "query=%7Bversion%7D&operationName=A&operationName=B",
        "QUERY=mutation%7Bx%7D",
        "",
    ],
)
def test_a_parameter_that_is_given_twice_or_not_at_all_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError):
        read_query_string(text)
