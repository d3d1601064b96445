"""Dagster's GraphQL, answered from memory.

`FakeDagster` executes the very documents that the client sends against Dagster's own schema, so a
document or an answer that the real webserver would not know fails the test.
"""

import functools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
from graphql import GraphQLSchema, build_schema, graphql_sync, print_schema

from contracts.retry import PARENT_TAG, inherited_tags
from contracts.run import KIND, KIND_TAG, LAUNCH_TAG
from orchestration.dagster_internals.testing import create_schema


@functools.cache
def dagster_schema() -> GraphQLSchema:
    """Dagster's own, without its resolvers."""
    return build_schema(print_schema(create_schema().graphql_schema))


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
