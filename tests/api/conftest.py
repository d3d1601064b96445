"""The app with everything real but Dagster, whose GraphQL is answered from memory.

`FakeDagster` executes the very documents that the client sends against Dagster's own schema, so a
document or an answer that the real webserver would not know fails the test.
"""

import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import av
import httpx
import numpy as np
import pytest
import uvicorn
from dagster_graphql.schema import create_schema
from fastapi import FastAPI
from graphql import GraphQLSchema, build_schema, graphql_sync, print_schema

from api.app import create_app, create_services
from api.auth.keys import create_key
from api.auth.roles import Role
from api.dagster.transport import GraphqlTransport
from api.dependencies import Services
from api.settings import Settings
from contracts.retry import PARENT_TAG, inherited_tags
from contracts.run import KIND, KIND_TAG, LAUNCH_TAG


@dataclass
class FakeRun:
    """A run; `answer` tells it in Dagster's words."""

    job: str
    status: str = "QUEUED"
    id: str = field(default_factory=lambda: str(uuid4()))
    tags: dict[str, str] = field(default_factory=lambda: {KIND_TAG: KIND})
    config: Mapping[str, Any] = field(default_factory=dict)
    steps: list[dict[str, Any]] = field(default_factory=list)
    selection: list[str] | None = None
    created_at: float = field(default_factory=time.time)
    started_at: float | None = None
    ended_at: float | None = None

    def end(self, status: str) -> None:
        self.status, self.ended_at = status, time.time()

    @property
    def updated_at(self) -> float:
        return self.ended_at or self.started_at or self.created_at

    def answer(self) -> dict[str, Any]:
        never = {"status": None, "startTime": None, "endTime": None}
        return {
            "__typename": "Run",
            "runId": self.id,
            "jobName": self.job,
            "status": self.status,
            "tags": [{"key": key, "value": value} for key, value in self.tags.items()],
            "runConfig": self.config,
            "stepStats": [never | step for step in self.steps],
            "creationTime": self.created_at,
            "startTime": self.started_at,
            "endTime": self.ended_at,
            "updateTime": self.updated_at,
            "stats": {
                "__typename": "RunStatsSnapshot",
                "enqueuedTime": self.created_at,
                "launchTime": self.started_at,
            },
        }


class FakeDagster:
    """Runs in memory. `replies` replaces the answer to a field of the schema; the hooks say what
    a run does when it is launched, polled or asked to stop.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self.runs: dict[str, FakeRun] = {}
        self.asked: list[str] = []
        self.replies: dict[str, dict[str, Any]] = {}
        self.transport_reply: Callable[[httpx.Request], httpx.Response] | None = None
        self.on_launch: Callable[[FakeRun], None] = lambda _run: None
        self.on_poll: Callable[[FakeRun], None] = lambda _run: None
        self.on_terminate: Callable[[FakeRun], None] = lambda run: run.end("CANCELED")

    def add(self, job: str = "face_detection", **facts: Any) -> FakeRun:
        run = FakeRun(job, **facts)
        self.runs[run.id] = run
        return run

    def handle(self, request: httpx.Request) -> httpx.Response:
        if self.transport_reply:
            return self.transport_reply(request)
        question = json.loads(request.content)
        result = graphql_sync(
            self._schema,
            question["query"],
            self._resolvers() | self.replies,
            variable_values=question["variables"],
        )
        errors = [error.formatted for error in result.errors or []]
        answer = {"data": result.data} | ({"errors": errors} if errors else {})
        return httpx.Response(200, json=answer)

    def _resolvers(self) -> dict[str, Any]:
        return {
            "version": "1.13.27",
            "instance": INSTANCE,
            "runOrError": self._run,
            "runsOrError": self._runs,
            "runIdsOrError": self._run_ids,
            "launchRun": self._launch,
            "launchRunReexecution": self._reexecute,
            "terminateRun": self._terminate,
            "deletePipelineRun": self._delete,
        }

    def _run(self, _info: Any, **arguments: Any) -> dict[str, Any]:
        run = self.runs.get(arguments["runId"])
        if run is None:
            return _run_not_found(arguments["runId"])
        self.on_poll(run)
        return run.answer()

    def _runs(self, _info: Any, **arguments: Any) -> dict[str, Any]:
        runs = self._page(**arguments)
        count = len(self._matching(arguments.get("filter") or {}))
        return {"__typename": "Runs", "results": [run.answer() for run in runs], "count": count}

    def _run_ids(self, _info: Any, **arguments: Any) -> dict[str, Any]:
        return {"__typename": "RunIds", "results": [run.id for run in self._page(**arguments)]}

    def _launch(self, _info: Any, **arguments: Any) -> dict[str, Any]:
        self.asked.append("launch")
        parameters = arguments["executionParams"]
        tags = {tag["key"]: tag["value"] for tag in parameters["executionMetadata"]["tags"]}
        run = FakeRun(
            parameters["selector"]["jobName"],
            selection=parameters["selector"].get("solidSelection"),
            config=parameters["runConfigData"],
        )
        return self._added(run, tags)

    def _reexecute(self, _info: Any, **arguments: Any) -> dict[str, Any]:
        """With the tags that Framegate's instance lets through."""
        parameters = arguments["reexecutionParams"]
        self.asked.append(f"reexecute {parameters['strategy']}")
        parent = self.runs[parameters["parentRunId"]]
        run = FakeRun(parent.job, selection=parent.selection, config=parent.config)
        tags = {
            **(inherited_tags(parent.tags) if parameters["useParentRunTags"] else {}),
            **{tag["key"]: tag["value"] for tag in parameters["extraTags"]},
            PARENT_TAG: parent.id,
        }
        return self._added(run, tags)

    def _added(self, run: FakeRun, tags: dict[str, str]) -> dict[str, Any]:
        """One run for each launch, as Framegate's storages have it."""
        run.id = tags.pop(LAUNCH_TAG, run.id)
        run.tags = tags
        if run.id not in self.runs:
            self.runs[run.id] = run
            self.on_launch(run)
        return {"__typename": "LaunchRunSuccess", "run": self.runs[run.id].answer()}

    def _terminate(self, _info: Any, **arguments: Any) -> dict[str, Any]:
        self.asked.append(f"terminate {arguments['terminatePolicy']}")
        run = self.runs.get(arguments["runId"])
        if run is None:
            return _run_not_found(arguments["runId"])
        if run.status not in {"QUEUED", "STARTED"}:
            return {"__typename": "TerminateRunFailure", "message": "no", "run": run.answer()}
        self.on_terminate(run)
        return {"__typename": "TerminateRunSuccess", "run": run.answer()}

    def _delete(self, _info: Any, **arguments: Any) -> dict[str, Any]:
        if self.runs.pop(arguments["runId"], None) is None:
            return _run_not_found(arguments["runId"])
        return {"__typename": "DeletePipelineRunSuccess", "runId": arguments["runId"]}

    def _page(
        self,
        filter: Any = None,  # noqa: A002 - Dagster names it so
        cursor: str | None = None,
        limit: int | None = None,
    ) -> list[FakeRun]:
        matching = self._matching(filter or {})
        ids = [run.id for run in matching]
        return matching[ids.index(cursor) + 1 if cursor in ids else 0 :][:limit]

    def _matching(self, wanted: Mapping[str, Any]) -> list[FakeRun]:
        """Newest first, as Dagster has it."""
        tags = {tag["key"]: tag["value"] for tag in wanted.get("tags", ())}
        statuses = wanted.get("statuses")
        job = wanted.get("pipelineName")
        updated_after = wanted.get("updatedAfter", 0.0)
        return [
            run
            for run in reversed(self.runs.values())
            if tags.items() <= run.tags.items()
            and (not statuses or run.status in statuses)
            and (not job or run.job == job)
            and run.updated_at > updated_after
        ]


INSTANCE = {
    "daemonHealth": {
        "allDaemonStatuses": [
            {
                "daemonType": "QUEUED_RUN_COORDINATOR",
                "required": True,
                "healthy": True,
                "lastHeartbeatTime": 1.0,
                "lastHeartbeatErrors": [],
            }
        ]
    },
    "runQueueConfig": {"maxConcurrentRuns": 4},
}


def _run_not_found(run_id: str) -> dict[str, Any]:
    return {"__typename": "RunNotFoundError", "runId": run_id, "message": "not there"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def schema() -> GraphQLSchema:
    """Dagster's own, without its resolvers."""
    return build_schema(print_schema(create_schema().graphql_schema))


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A real MP4 of half a second."""
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(path, "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for shade in range(5):
            picture = np.full((48, 64, 3), 50 * shade, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path.read_bytes()


@pytest.fixture
def dagster(schema: GraphQLSchema) -> FakeDagster:
    return FakeDagster(schema)


@pytest.fixture
def settings(tmp_path: Path, chosen_database_url: str) -> Settings:
    roots = tmp_path / "roots"
    roots.mkdir()
    return Settings(
        home=tmp_path / "home",
        media_roots=(roots,),
        cancel_timeout=2.0,
        database_url=chosen_database_url,
    )


@pytest.fixture
def services(settings: Settings, dagster: FakeDagster) -> Services:
    transport = GraphqlTransport(
        "http://dagster", timeout=60.0, transport=httpx.MockTransport(dagster.handle)
    )
    return create_services(settings, transport=transport)


@pytest.fixture
def app(services: Services) -> FastAPI:
    return create_app(services=services)


@pytest.fixture
async def running(app: FastAPI) -> AsyncIterator[FastAPI]:
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def secret_of(services: Services) -> Callable[..., str]:
    """Makes a key of a role (and a name) and gives its secret."""

    def make(role: str, name: str | None = None) -> str:
        services.database.migrate()
        return create_key(services.database, role=Role(role), name=name or role)[1]

    return make


@pytest.fixture
def client_of(running: FastAPI, secret_of: Callable[..., str]) -> Callable[..., httpx.AsyncClient]:
    """A client with a key of its own."""

    def make(role: str, name: str | None = None) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(running),
            base_url="http://framegate",
            headers={"X-API-Key": secret_of(role, name)},
        )

    return make


@pytest.fixture
def admin(client_of: Callable[..., httpx.AsyncClient]) -> httpx.AsyncClient:
    return client_of("admin")


@pytest.fixture
def stranger(running: FastAPI) -> httpx.AsyncClient:
    """A client without a key."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(running), base_url="http://framegate")


@pytest.fixture
def serve(app: FastAPI) -> Iterator[Callable[[], int]]:
    """Serves the app on a real socket, for what only a socket can do; gives the port."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False))
    thread = threading.Thread(target=server.run)

    def start() -> int:
        thread.start()
        while not server.started:
            time.sleep(0.01)
        return int(server.servers[0].sockets[0].getsockname()[1])

    yield start
    if thread.is_alive():
        server.should_exit = True
        thread.join()
