"""Finds out what has changed since the last look: Dagster's runs, and progress files."""

import time
from collections.abc import Callable, Iterable, Sequence

from anyio import to_thread

from api.dagster.client import RUNNING, DagsterClient
from api.dagster.run import Run, RunFilter, RunStatus
from api.events.event import Event, event_of, moment_of
from api.http.schemas import Job
from api.jobs.description import JobFiles, describe, is_job, read_files
from contracts.home import Home

#: By status and time Dagster finds runs in an index; by tag it would look at every run it keeps.
_ANY = tuple(RunStatus)
_PAGE = 200
#: A run may be written a moment after another that is stamped later: look that far back again.
_OVERLAP_SECONDS = 2.0
#: How far Dagster's clock may be behind ours at the first look.
_SKEW_SECONDS = 60.0


class Watcher:
    """`begin` takes in how things are, each `poll` tells what is different since."""

    def __init__(self, dagster: DagsterClient, home: Home, url_of: Callable[[str], str]) -> None:
        self._dagster = dagster
        self._home = home
        self._url_of = url_of
        self._seen_until = 0.0
        self._moment = 0
        self._known: dict[str, str] = {}
        self._runs: dict[str, Run] = {}

    @property
    def moment(self) -> int:
        """Of the last change that is known."""
        return self._moment

    async def begin(self) -> None:
        """Raises OrchestratorUnavailableError."""
        self._seen_until = time.time() - _SKEW_SECONDS
        self._moment = int(self._seen_until * 1_000_000)
        self._known, self._runs = {}, {}
        running = await self._all(RunFilter(statuses=RUNNING))
        updated = await self._all(RunFilter(statuses=_ANY, updated_after=self._seen_until))
        await self._changes([*running, *updated])

    async def poll(self) -> list[Event]:
        """Oldest first. Raises OrchestratorUnavailableError; then the next poll tells all."""
        after = _look_back(self._seen_until)
        updated = await self._all(RunFilter(statuses=_ANY, updated_after=after))
        fresh = {run.run_id for run in updated}
        watched = [run for run in self._runs.values() if run.run_id not in fresh]
        return await self._changes([*updated, *watched])

    async def snapshot(self, run: Run) -> Event:
        """How the job is now."""
        return await to_thread.run_sync(self._snapshot, run)

    async def updated_since(self, moment: int) -> list[Event]:
        """How all jobs are that have changed since, oldest first: a client that has seen the last
        of them has missed none. Raises OrchestratorUnavailableError.
        """
        after = _look_back(moment / 1_000_000)
        runs = await self._all(RunFilter(statuses=_ANY, updated_after=after))
        ordered = sorted(runs, key=moment_of)
        return await to_thread.run_sync(lambda: [self._snapshot(run) for run in ordered])

    async def _all(self, run_filter: RunFilter) -> list[Run]:
        """Of those that are jobs."""
        runs: list[Run] = []
        cursor: str | None = None
        while True:
            page = await self._dagster.runs(run_filter, limit=_PAGE, cursor=cursor)
            runs += [run for run in page.runs if is_job(run)]
            cursor = page.cursor
            if cursor is None:
                return runs

    async def _changes(self, runs: Iterable[Run]) -> list[Event]:
        """An event for each run that is not as it was; what is known moves on."""
        ordered = sorted({run.run_id: run for run in runs}.values(), key=moment_of)
        events = []
        for run, files in zip(ordered, await self._read(ordered), strict=True):
            event = event_of(
                self._describe(run, files), moment=max(moment_of(run), self._moment + 1)
            )
            if self._known.get(run.run_id) != event.data:
                self._known[run.run_id] = event.data
                self._moment = event.moment
                events.append(event)
        self._seen_until = max([self._seen_until, *(run.updated_at or 0.0 for run in ordered)])
        self._remember(ordered)
        return events

    def _remember(self, runs: Iterable[Run]) -> None:
        """Runs at work, for their progress; and for as long as they may be told again, others."""
        for run in runs:
            if run.status in RUNNING:
                self._runs[run.run_id] = run
            else:
                self._runs.pop(run.run_id, None)
        recent = {
            run.run_id
            for run in runs
            if (run.updated_at or 0.0) >= self._seen_until - _OVERLAP_SECONDS
        }
        kept = recent | self._runs.keys()
        self._known = {run_id: data for run_id, data in self._known.items() if run_id in kept}

    def _snapshot(self, run: Run) -> Event:
        return event_of(self._describe(run, read_files(self._home, run)), moment_of(run))

    async def _read(self, runs: Sequence[Run]) -> list[JobFiles]:
        if not runs:
            return []
        return await to_thread.run_sync(lambda: [read_files(self._home, run) for run in runs])

    def _describe(self, run: Run, files: JobFiles) -> Job:
        return describe(run, files, url=self._url_of(run.run_id))


def _look_back(seen_until: float) -> float:
    """Since when to look: a clock that was set back stamps what is new with less than was seen."""
    return min(seen_until, time.time()) - _OVERLAP_SECONDS
