"""A GraphQL question as it may be put to Dagster: read, judged, and written anew.

What Dagster gets is written from what was judged, never what the client sent, so that the door and
Dagster cannot read the same bytes differently (a field given twice, an odd encoding).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlencode

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    parse,
)

from api.errors import InvalidRequestError
from contracts.strict_json import StrictJsonError, parse_json

#: The UI's longest document has some 3,000 tokens.
_MAX_TOKENS = 20_000
_MAX_COMMENTS = 1000
_MAX_LENGTH = 500_000
_NO_QUESTION = "Send an object with `query`, and if needed `variables` and `operationName`."


@dataclass(frozen=True)
class Question:
    """`mutations` names what it asks Dagster to change, as `mutations_of` does."""

    query: str
    variables: Mapping[str, Any] | None
    operation_name: str | None
    mutations: tuple[str, ...]

    @property
    def changes(self) -> bool:
        """Whether answering it may change something in Dagster."""
        return bool(self.mutations)

    def fields(self) -> dict[str, Any]:
        return {
            "query": self.query,
            "variables": self.variables,
            "operationName": self.operation_name,
        }

    def to_json(self) -> bytes:
        return json.dumps(self.fields()).encode()

    def to_query_string(self) -> str:
        given = {key: value for key, value in self.fields().items() if value is not None}
        if self.variables is not None:
            given["variables"] = json.dumps(self.variables)
        return urlencode(given)


def read_question(value: object) -> Question:
    """From decoded JSON. Raises InvalidRequestError for what is no single question that can be
    understood: a batch, the hash of a persisted document, a document that cannot be parsed.
    """
    if not isinstance(value, Mapping):
        raise InvalidRequestError("Dagster takes one query at a time.", hint=_NO_QUESTION)
    query, variables, name = (value.get(key) for key in ("query", "variables", "operationName"))
    if not isinstance(query, str):
        raise InvalidRequestError("There is no GraphQL document in `query`.", hint=_NO_QUESTION)
    if isinstance(variables, str):
        variables = _decoded(variables)
    if not (variables is None or isinstance(variables, Mapping)):
        raise InvalidRequestError("`variables` must be an object.", field="variables")
    if not (name is None or isinstance(name, str)):
        raise InvalidRequestError("`operationName` must be a string.", field="operationName")
    return Question(query, variables, name, mutations_of(query))


def read_query_string(text: str) -> Question:
    """The same, of a GET request. Raises InvalidRequestError."""
    pairs = parse_qsl(text, keep_blank_values=True)
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise InvalidRequestError("A parameter is given twice.")
    return read_question(fields)


@lru_cache(maxsize=512)
def mutations_of(document: str) -> tuple[str, ...]:
    """The fields, and fragments, of every operation that is neither a query nor a subscription,
    be it the one that is asked for or not. Raises InvalidRequestError.
    """
    try:
        parsed = parse(
            document,
            no_location=True,
            max_lexical_tokens=_MAX_TOKENS,
            max_comments=_MAX_COMMENTS,
            max_source_length=_MAX_LENGTH,
        )
    except GraphQLError as error:
        raise InvalidRequestError(
            f"The GraphQL document cannot be read: {error.message[:300]}"
        ) from error
    operations: list[OperationDefinitionNode] = []
    for definition in parsed.definitions:
        if isinstance(definition, OperationDefinitionNode):
            operations.append(definition)
        elif not isinstance(definition, FragmentDefinitionNode):
            raise InvalidRequestError("A document holds operations and fragments, nothing else.")
    if not operations:
        raise InvalidRequestError("The GraphQL document holds no operation.")
    return tuple(
        _name(selection)
        for operation in operations
        if operation.operation not in (OperationType.QUERY, OperationType.SUBSCRIPTION)
        for selection in operation.selection_set.selections
    )


def _name(selection: SelectionNode) -> str:
    if isinstance(selection, FieldNode):
        return selection.name.value
    return f"...{selection.name.value}" if isinstance(selection, FragmentSpreadNode) else "..."


def _decoded(text: str) -> Any:
    try:
        return parse_json(text.encode()) if text else None
    except StrictJsonError as error:
        raise InvalidRequestError(f"`variables`: {error}", field="variables") from error
