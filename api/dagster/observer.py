"""What metrics ask of Dagster: how much waits and runs now, and what has ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.dagster import documents
from api.dagster.client import RUNNING
from api.dagster.members import expect
from api.dagster.parsing import parse_instance, parse_run
from api.dagster.run import InstanceState, Run, RunFilter, RunStatus
from api.dagster.transport import GraphqlTransport

_QUEUED = (RunStatus.QUEUED,)
_ENDED = (RunStatus.SUCCESS, RunStatus.FAILURE, RunStatus.CANCELED)
#: More runs than any machine runs at once.
_MOST_RUNNING = 200


@dataclass(frozen=True)
class Activity:
    """`queued` holds ids, the oldest last; `queued_by_job` counts those of the jobs asked for."""

    instance: InstanceState
    queued: tuple[str, ...]
    queued_by_job: Mapping[str, int]
    running: tuple[Run, ...]


@dataclass(frozen=True)
class EndedRun:
    """A run in its terminal state, and when it entered and left the queue, if it did."""

    run: Run
    enqueued_at: float | None
    launched_at: float | None


class Observer:
    """Any method raises OrchestratorUnavailableError when Dagster cannot be reached.

    No question filters by tag: Dagster would look at every run that it keeps. By status it finds
    the few that are meant in an index, however many there are.
    """

    def __init__(self, transport: GraphqlTransport) -> None:
        self._transport = transport

    async def activity(self, jobs: Sequence[str]) -> Activity:
        """What waits and runs now; while anything waits, `jobs` are counted each."""
        variables = {
            "queued": RunFilter(statuses=_QUEUED).to_variables(),
            "running": RunFilter(statuses=RUNNING).to_variables(),
            "limit": _MOST_RUNNING,
        }
        data = await self._transport.ask(documents.ACTIVITY, variables)
        queued = tuple(_member(data["waiting"], "RunIds")["results"])
        return Activity(
            instance=parse_instance(data),
            queued=queued,
            queued_by_job=await self._count(jobs) if queued else dict.fromkeys(jobs, 0),
            running=tuple(parse_run(run) for run in _member(data["active"], "Runs")["results"]),
        )

    async def queued_since(self, run_id: str) -> float | None:
        """When the run was made, in seconds since the epoch; None if it waits no longer."""
        data = await self._transport.ask(documents.RUN_STATE, {"runId": run_id})
        run = data["result"]
        return run["creationTime"] if run.get("status") == RunStatus.QUEUED else None

    async def ended_runs(
        self, *, updated_after: float, limit: int, cursor: str | None
    ) -> list[EndedRun]:
        """A page of runs that have ended, newest first; `cursor` is the last one's id."""
        run_filter = RunFilter(statuses=_ENDED, updated_after=updated_after)
        variables = {"filter": run_filter.to_variables(), "limit": limit, "cursor": cursor}
        data = await self._transport.ask(documents.ENDED_RUNS, variables)
        return [_ended(run) for run in _member(data["result"], "Runs")["results"]]

    async def _count(self, jobs: Sequence[str]) -> dict[str, int]:
        """How many runs of each job are in the queue."""
        variables = {
            f"filter{number}": RunFilter(statuses=_QUEUED, job_name=job).to_variables()
            for number, job in enumerate(jobs)
        }
        data = await self._transport.ask(documents.counts(len(jobs)), variables)
        return {
            job: _member(data[alias], "Runs")["count"]
            for job, alias in zip(jobs, variables, strict=True)
        }


def _ended(run: Mapping[str, Any]) -> EndedRun:
    stats = run["stats"]
    return EndedRun(
        run=parse_run(run),
        enqueued_at=stats.get("enqueuedTime"),
        launched_at=stats.get("launchTime"),
    )


def _member(result: Mapping[str, Any], member: str) -> Mapping[str, Any]:
    expect(result, member)
    return result
