"""What Framegate asks of Dagster. Every member of every union that Dagster may answer with
becomes a result or an error of `api/errors.py`.
"""

from collections.abc import Mapping, Sequence
from operator import attrgetter, itemgetter
from typing import Any

from api.dagster import documents
from api.dagster.members import expect
from api.dagster.parsing import parse_instance, parse_run
from api.dagster.run import (
    InstanceState,
    QueuedRun,
    Run,
    RunFilter,
    RunPage,
    RunStatus,
    priority_of,
)
from api.dagster.transport import GraphqlTransport

REPOSITORY_LOCATION = "framegate"
REPOSITORY = "__repository__"

RUNNING = (RunStatus.NOT_STARTED, RunStatus.STARTING, RunStatus.STARTED, RunStatus.CANCELING)

#: What Dagster raises where every step of a failed run had succeeded.
_NOTHING_LEFT = "DagsterInvalidSubsetError"


class DagsterClient:
    """Any method raises OrchestratorUnavailableError when Dagster cannot be reached."""

    def __init__(self, transport: GraphqlTransport) -> None:
        self._transport = transport

    async def close(self) -> None:
        await self._transport.close()

    async def run(self, run_id: str) -> Run:
        """The run with its steps. Raises JobNotFoundError."""
        return parse_run(await self._ask_for_run(documents.RUN, run_id))

    async def run_state(self, run_id: str) -> Run:
        """The run without its steps: cheaper, for polling. Raises JobNotFoundError."""
        return parse_run(await self._ask_for_run(documents.RUN_STATE, run_id))

    async def runs(
        self,
        run_filter: RunFilter,
        *,
        limit: int,
        cursor: str | None = None,
        counted: RunFilter | None = None,
    ) -> RunPage:
        """A page of runs without their steps, newest first; `cursor` is the last page's, and
        `counted` says which runs the total is of.
        """
        variables = {
            "filter": run_filter.to_variables(),
            "cursor": cursor,
            "limit": limit,
            "counted": counted and counted.to_variables(),
            "isCounted": counted is not None,
        }
        data = await self._transport.ask(documents.RUNS, variables)
        result = data["result"]
        expect(result, "Runs")
        if counted:
            expect(data["counted"], "Runs")
        runs = tuple(parse_run(run) for run in result["results"])
        return RunPage(
            runs=runs,
            total=data["counted"]["count"] if counted else None,
            cursor=runs[-1].run_id if len(runs) == limit else None,
        )

    async def run_ids(
        self, run_filter: RunFilter, *, limit: int | None = None, cursor: str | None = None
    ) -> list[str]:
        variables = {"filter": run_filter.to_variables(), "cursor": cursor, "limit": limit}
        result = await self._ask(documents.RUN_IDS, variables)
        expect(result, "RunIds")
        return list(result["results"])

    async def queue(self) -> list[QueuedRun]:
        """In the order in which the queue lets them go: priority first, then age."""
        variables = {"filter": RunFilter(statuses=(RunStatus.QUEUED,)).to_variables()}
        result = await self._ask(documents.RUN_PRIORITIES, variables)
        expect(result, "Runs")
        oldest_first = sorted(result["results"], key=itemgetter("creationTime"))
        runs = [QueuedRun(run["runId"], _priority(run["tags"])) for run in oldest_first]
        return sorted(runs, key=attrgetter("priority"), reverse=True)  # keeps equals in order

    async def launch(
        self,
        job_name: str,
        *,
        selection: Sequence[str] | None,
        config: Mapping[str, Any],
        tags: Mapping[str, str],
    ) -> Run:
        """Queues a run. Raises InvalidConfigError, and OrchestratorSilentError where the run may
        have been queued all the same.
        """
        parameters = {
            "selector": {
                "repositoryLocationName": REPOSITORY_LOCATION,
                "repositoryName": REPOSITORY,
                "jobName": job_name,
                "solidSelection": selection,
            },
            "runConfigData": config,
            "executionMetadata": {"tags": _tags(tags)},
        }
        result = await self._ask(documents.LAUNCH, {"parameters": parameters})
        expect(result, "LaunchRunSuccess")
        return parse_run(result["run"])

    async def reexecute(self, run_id: str, *, tags: Mapping[str, str]) -> Run:
        """Queues a run of what that run did not complete, or of all of it where only its end was
        lost. `tags` go before that run's. Raises as `launch`.
        """
        parameters = {"parentRunId": run_id, "extraTags": _tags(tags), "useParentRunTags": True}
        for strategy in ("FROM_FAILURE", "ALL_STEPS"):
            variables = {"parameters": parameters | {"strategy": strategy}}
            result = await self._ask(documents.REEXECUTE, variables)
            if result.get("className") != _NOTHING_LEFT:
                break
        expect(result, "LaunchRunSuccess", run_id=run_id)
        return parse_run(result["run"])

    async def terminate(self, run_id: str) -> bool:
        """Asks for a safe termination; False where the run's state does not allow one now.

        Raises JobNotFoundError. Success means that Dagster passed the request on, no more.
        """
        result = await self._ask(documents.TERMINATE, {"runId": run_id})
        expect(result, "TerminateRunSuccess", "TerminateRunFailure", run_id=run_id)
        return bool(result["__typename"] == "TerminateRunSuccess")

    async def delete(self, run_id: str) -> None:
        """Removes a run and its log. Raises JobNotFoundError."""
        result = await self._ask(documents.DELETE, {"runId": run_id})
        expect(result, "DeletePipelineRunSuccess", run_id=run_id)

    async def instance(self) -> InstanceState:
        """The webserver's version, the daemons' heartbeats, and how many runs wait and run."""
        variables = {
            "queued": RunFilter(statuses=(RunStatus.QUEUED,)).to_variables(),
            "running": RunFilter(statuses=RUNNING).to_variables(),
        }
        data = await self._transport.ask(documents.INSTANCE, variables)
        expect(data["queued"], "Runs")
        expect(data["running"], "Runs")
        return parse_instance(data)

    async def _ask_for_run(self, document: str, run_id: str) -> dict[str, Any]:
        result = await self._ask(document, {"runId": run_id})
        expect(result, "Run", run_id=run_id)
        return result

    async def _ask(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        data = await self._transport.ask(document, variables)
        return dict(data["result"])


def _tags(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _priority(tags: Sequence[Mapping[str, str]]) -> int:
    return priority_of({tag["key"]: tag["value"] for tag in tags})
