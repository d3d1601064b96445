"""Dagster's GraphQL: every document is valid, every member of every union is understood."""

import re
from typing import Any

import pytest
from graphql import GraphQLSchema, GraphQLUnionType, parse, validate

from api.dagster.client import DagsterClient
from api.dagster.documents import DOCUMENTS
from api.dagster.run import RunFilter
from api.errors import (
    FramegateError,
    InternalServerError,
    InvalidConfigError,
    JobNotFoundError,
    OrchestratorSilentError,
    OrchestratorUnavailableError,
)

pytestmark = pytest.mark.anyio
LAUNCH: dict[str, Any] = {"selection": None, "config": {}, "tags": {}}
#: What is not a success, by union, and what it means for a client.
REFUSALS: dict[str, dict[str, type[FramegateError]]] = {
    "LaunchRunResult": {
        "InvalidStepError": InternalServerError,
        "InvalidOutputError": InternalServerError,
        "RunConfigValidationInvalid": InvalidConfigError,
        "PipelineNotFoundError": OrchestratorUnavailableError,
        "RunConflict": InternalServerError,
        "UnauthorizedError": OrchestratorUnavailableError,
        "PythonError": InternalServerError,
        "InvalidSubsetError": OrchestratorUnavailableError,
        "PresetNotFoundError": InternalServerError,
        "ConflictingExecutionParamsError": InternalServerError,
        "NoModeProvidedError": InternalServerError,
    },
    "TerminateRunResult": {
        "RunNotFoundError": JobNotFoundError,
        "UnauthorizedError": OrchestratorUnavailableError,
        "PythonError": InternalServerError,
    },
    "DeletePipelineRunResult": {
        "RunNotFoundError": JobNotFoundError,
        "UnauthorizedError": OrchestratorUnavailableError,
        "PythonError": InternalServerError,
    },
    "RunOrError": {"RunNotFoundError": JobNotFoundError, "PythonError": InternalServerError},
    "RunsOrError": {
        "InvalidPipelineRunsFilterError": InternalServerError,
        "PythonError": InternalServerError,
    },
    "RunIdsOrError": {
        "InvalidPipelineRunsFilterError": InternalServerError,
        "PythonError": InternalServerError,
    },
}
SUCCESSES = {
    "LaunchRunResult": {"LaunchRunSuccess"},
    "TerminateRunResult": {"TerminateRunSuccess", "TerminateRunFailure"},
    "DeletePipelineRunResult": {"DeletePipelineRunSuccess"},
    "RunOrError": {"Run"},
    "RunsOrError": {"Runs"},
    "RunIdsOrError": {"RunIds"},
}
FIELDS = {
    "LaunchRunResult": "launchRun",
    "TerminateRunResult": "terminateRun",
    "DeletePipelineRunResult": "deletePipelineRun",
    "RunOrError": "runOrError",
    "RunsOrError": "runsOrError",
    "RunIdsOrError": "runIdsOrError",
}


async def _ask(client: DagsterClient, union: str) -> object:
    match union:
        case "LaunchRunResult":
            return await client.launch("face_detection", **LAUNCH)
        case "TerminateRunResult":
            return await client.terminate("some-run")
        case "DeletePipelineRunResult":
            return await client.delete("some-run")
        case "RunOrError":
            return await client.run("some-run")
        case "RunsOrError":
            return await client.runs(RunFilter(), limit=1)
        case _:
            return await client.run_ids(RunFilter())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda text: re.search(r"\w+ (\w+)", text)[1])
def test_every_document_is_valid_in_dagsters_own_schema(
    schema: GraphQLSchema, document: str
) -> None:
    assert validate(schema, parse(document)) == []


@pytest.mark.parametrize("union", FIELDS)
def test_no_member_of_a_union_is_left_out(schema: GraphQLSchema, union: str) -> None:
    kind = schema.get_type(union)
    assert isinstance(kind, GraphQLUnionType)
    assert {member.name for member in kind.types} == set(REFUSALS[union]) | SUCCESSES[union]


@pytest.mark.parametrize(
    ("union", "member"), [(union, member) for union in REFUSALS for member in REFUSALS[union]]
)
async def test_every_refusal_becomes_an_error_of_ours(
    client: DagsterClient, dagster: Any, union: str, member: str
) -> None:
    dagster.replies[FIELDS[union]] = {
        "__typename": member,
        "message": "because",
        "className": "SomeError",
        "runId": "some-run",
        "invalidStepKey": "step",
        "stepKey": "step",
        "invalidOutputName": "output",
        "errors": [
            {"__typename": "FieldNotDefinedConfigError", "message": "no", "path": ["ops", "x"]}
        ],
    }
    with pytest.raises(REFUSALS[union][member]) as caught:
        await _ask(client, union)
    assert type(caught.value) is REFUSALS[union][member]


async def test_a_code_server_that_is_down_is_no_fault_of_ours(
    client: DagsterClient, dagster: Any
) -> None:
    dagster.replies["launchRun"] = {
        "__typename": "PythonError",
        "message": "gRPC",
        "className": "DagsterUserCodeUnreachableError",
    }
    with pytest.raises(OrchestratorUnavailableError):
        await client.launch("face_detection", **LAUNCH)


@pytest.mark.parametrize(
    "kind", ["OperationalError", "InterfaceError", "TimeoutError", "DagsterPostgresException"]
)
async def test_a_database_that_dagster_cannot_use_is_503_and_the_run_may_exist(
    client: DagsterClient, dagster: Any, kind: str
) -> None:
    dagster.replies["launchRun"] = {
        "__typename": "PythonError",
        "message": "server closed the connection unexpectedly",
        "className": kind,
    }
    with pytest.raises(OrchestratorSilentError, match="database cannot be used"):
        await client.launch("face_detection", **LAUNCH)


async def test_a_full_disk_under_dagsters_database_is_named_and_the_run_may_exist(
    client: DagsterClient, dagster: Any
) -> None:
    dagster.replies["launchRun"] = {
        "__typename": "PythonError",
        "message": "sqlalchemy.exc.OperationalError: (sqlite3.OperationalError) "
        "database or disk is full",
        "className": "OperationalError",
    }
    with pytest.raises(OrchestratorSilentError, match="the disk is full"):
        await client.launch("face_detection", **LAUNCH)
