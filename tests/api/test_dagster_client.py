"""Dagster's GraphQL: every document is valid, every member of every union is understood."""

import asyncio
import re
from contextlib import closing, suppress
from typing import Any

import httpx
import pytest
from graphql import GraphQLSchema, GraphQLUnionType, parse, validate

from api.dagster.client import DagsterClient
from api.dagster.documents import DOCUMENTS
from api.dagster.run import RunFilter, RunStatus, StepStatus
from api.dagster.transport import GraphqlTransport
from api.dependencies import Services
from api.errors import (
    FramegateError,
    InternalServerError,
    InvalidConfigError,
    JobNotFoundError,
    OrchestratorSilentError,
    OrchestratorUnavailableError,
)
from contracts.run import KIND, KIND_TAG

pytestmark = pytest.mark.anyio

PATIENCE = 30.0
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


@pytest.fixture
def client(services: Services) -> DagsterClient:
    return services.dagster


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


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("refused"), OrchestratorUnavailableError),
        (httpx.ConnectTimeout("slow"), OrchestratorUnavailableError),
        (httpx.ReadTimeout("slow"), OrchestratorSilentError),
        (httpx.ReadError("reset"), OrchestratorSilentError),
        (httpx.RemoteProtocolError("closed"), OrchestratorSilentError),
    ],
)
async def test_not_being_answered_is_503_and_tells_whether_the_question_was_sent(
    client: DagsterClient, dagster: Any, failure: Exception, error: type[FramegateError]
) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise failure

    dagster.transport_reply = fail
    with pytest.raises(OrchestratorUnavailableError) as caught:
        await client.run("some-run")
    assert type(caught.value) is error
    assert caught.value.headers == {"Retry-After": "5"}


async def test_an_answer_that_trickles_in_is_late_as_a_whole() -> None:
    """Each byte comes in time, so that no pause of the connection ends it."""
    hung_up = asyncio.Event()

    async def trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError), closing(writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        hung_up.set()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        transport = GraphqlTransport(f"http://127.0.0.1:{port}", timeout=0.5)
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(OrchestratorSilentError, match="in time"):
                await transport.ask("{ version }", {})
        await transport.close()
        await hung_up.wait()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (httpx.Response(504, text="<html>"), OrchestratorSilentError),
        (httpx.Response(200, json=[]), InternalServerError),
        (
            httpx.Response(400, json={"data": None, "errors": [{"message": "bad"}]}),
            InternalServerError,
        ),
        (httpx.Response(200, json={"data": {}, "errors": [{"message": "x"}]}), InternalServerError),
    ],
)
async def test_an_answer_that_makes_no_sense_is_an_error(
    client: DagsterClient, dagster: Any, reply: httpx.Response, error: type[FramegateError]
) -> None:
    dagster.transport_reply = lambda _request: reply
    with pytest.raises(error):
        await client.run("some-run")


async def test_a_run_is_read_with_its_steps(client: DagsterClient, dagster: Any) -> None:
    added = dagster.add(
        status="STARTED",
        config={"ops": {}},
        steps=[{"stepKey": "probe", "status": "SUCCESS", "startTime": 1.0, "endTime": 2.0}],
        started_at=1.0,
    )
    run = await client.run(added.id)
    assert (run.run_id, run.status, run.config) == (added.id, RunStatus.STARTED, {"ops": {}})
    assert run.steps[0].status is StepStatus.SUCCESS
    assert (await client.run_state(added.id)).steps == ()


async def test_pages_are_counted_on_demand_and_lead_on_by_cursor(
    client: DagsterClient, dagster: Any
) -> None:
    ids = [dagster.add().id for _ in range(5)][::-1]
    dagster.add(tags={})
    ours = RunFilter(tags={KIND_TAG: KIND})
    first = await client.runs(ours, limit=3, counted=ours)
    assert [run.run_id for run in first.runs] == ids[:3]
    assert first.total == 5
    rest = await client.runs(ours, limit=3, cursor=first.cursor)
    assert [run.run_id for run in rest.runs] == ids[3:]
    assert (rest.total, rest.cursor) == (None, None)
    assert await client.run_ids(ours, limit=2, cursor=ids[1]) == ids[2:4]


async def test_the_queue_is_in_the_order_in_which_it_is_left(
    client: DagsterClient, dagster: Any
) -> None:
    def add(created_at: float, priority: str | None = None) -> str:
        tags = {KIND_TAG: KIND} | ({"dagster/priority": priority} if priority else {})
        return str(dagster.add(created_at=created_at, tags=tags).id)

    old, new, odd = add(1.0), add(4.0), add(3.0, "soon")
    urgent, late = add(5.0, "2"), add(2.0, "-1")
    dagster.add(status="STARTED")
    assert [run.run_id for run in await client.queue()] == [urgent, old, odd, new, late]


async def test_a_termination_is_always_the_safe_one(client: DagsterClient, dagster: Any) -> None:
    run = dagster.add(status="STARTING")
    assert await client.terminate(run.id) is False
    run.status = "STARTED"
    assert await client.terminate(run.id) is True
    assert dagster.asked == ["terminate SAFE_TERMINATE"] * 2


async def test_the_instance_is_described(client: DagsterClient, dagster: Any) -> None:
    dagster.add(status="QUEUED")
    dagster.add(status="STARTED")
    state = await client.instance()
    assert state.version
    assert [daemon.kind for daemon in state.daemons] == ["QUEUED_RUN_COORDINATOR"]
    assert (state.queued, state.running) == (1, 1)
