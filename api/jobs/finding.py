"""Finds jobs: one by its id, or a page of them. A job is a run with our kind tag."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from anyio import to_thread

from api.auth.roles import Principal
from api.dagster.client import DagsterClient
from api.dagster.run import QueuedRun, Run, RunFilter, RunPage, RunStatus
from api.dependencies import Services
from api.errors import ForbiddenError, InvalidRequestError, JobNotFoundError
from api.http.schemas import Job, JobPage, JobStatus
from api.jobs.description import JobFiles, describe, is_job, read_files, statuses_of
from contracts.run import KIND, KIND_TAG, OWNER_TAG, PIPELINE_TAG_PREFIX

_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: How far pages may count; beyond that, follow `next_cursor`, which costs the same at any depth.
_MAX_DEPTH = 20_000
_ANY_JOB = {KIND_TAG: KIND}


@dataclass(frozen=True)
class JobQuery:
    page: int
    per_page: int
    status: JobStatus | None = None
    pipeline: str | None = None
    cursor: str | None = None


async def find_run(dagster: DagsterClient, job_id: str, *, with_steps: bool = True) -> Run:
    """The run behind a job. Raises JobNotFoundError, for a malformed id alike."""
    if not _RUN_ID.fullmatch(job_id):
        raise JobNotFoundError(job_id)
    run = await (dagster.run(job_id) if with_steps else dagster.run_state(job_id))
    if not is_job(run):
        raise JobNotFoundError(job_id)
    return run


def check_owner(run: Run, principal: Principal) -> None:
    """Raises ForbiddenError unless the principal may change the job."""
    owner = run.tags.get(OWNER_TAG)
    if not principal.may_change(owner):
        raise ForbiddenError(
            "The job belongs to somebody else.",
            hint="Ask its owner or an administrator.",
            detail={"owner": owner},
        )


async def get_job(services: Services, job_id: str) -> Job:
    """Raises JobNotFoundError."""
    run = await find_run(services.dagster, job_id)
    queue = await services.queue.runs() if run.status is RunStatus.QUEUED else []
    return await job_of(services, run, queue)


async def job_of(services: Services, run: Run, queue: Sequence[QueuedRun] | None) -> Job:
    """`queue` as it was a moment ago; without it, the job's place in it is left open."""
    files = await to_thread.run_sync(read_files, services.home, run)
    return _described(services, run, files, queue)


async def list_jobs(services: Services, query: JobQuery) -> JobPage:
    """Without the times of each pipeline, which `get_job` tells."""
    run_filter = _filter(query)
    cursor = query.cursor or await _cursor_of_page(services.dagster, run_filter, query)
    page = await _page(services.dagster, run_filter, limit=query.per_page, cursor=cursor)
    runs = () if cursor is None and query.page > 1 else page.runs
    queued = any(run.status is RunStatus.QUEUED for run in runs)
    queue = await services.queue.runs() if queued else []
    files = await to_thread.run_sync(_read_all, services, runs)
    return JobPage(
        jobs=[_described(services, run, files[run.run_id], queue) for run in runs],
        total=page.total or 0,
        page=query.page,
        per_page=query.per_page,
        next_cursor=page.cursor if runs else None,
    )


async def _page(
    dagster: DagsterClient, run_filter: RunFilter, *, limit: int, cursor: str | None
) -> RunPage:
    """Dagster sorts all runs that carry a tag before it takes the first. Nearly every run is a job,
    so the newest runs are asked for without the tag, which will do if all of them are jobs.
    """
    if run_filter.tags == _ANY_JOB:
        anyone = replace(run_filter, tags=None)
        page = await dagster.runs(anyone, limit=limit, cursor=cursor, counted=run_filter)
        if all(is_job(run) for run in page.runs):
            return page
    return await dagster.runs(run_filter, limit=limit, cursor=cursor, counted=run_filter)


def _filter(query: JobQuery) -> RunFilter:
    tags = _ANY_JOB
    if query.pipeline:
        tags = _ANY_JOB | {PIPELINE_TAG_PREFIX + query.pipeline: "selected"}
    return RunFilter(tags=tags, statuses=statuses_of(query.status) if query.status else ())


async def _cursor_of_page(
    dagster: DagsterClient, run_filter: RunFilter, query: JobQuery
) -> str | None:
    """Dagster pages by cursor: the last id before the page is its cursor. None: no such page."""
    before = (query.page - 1) * query.per_page
    if before > _MAX_DEPTH:
        raise InvalidRequestError(
            f"Pages end after {_MAX_DEPTH} jobs.",
            field="page",
            hint="Follow `next_cursor` by `cursor=` to go deeper.",
        )
    if not before:
        return None
    ids = await dagster.run_ids(run_filter, limit=before)
    return ids[-1] if len(ids) == before else None


def _read_all(services: Services, runs: tuple[Run, ...]) -> dict[str, JobFiles]:
    return {run.run_id: read_files(services.home, run) for run in runs}


def _described(
    services: Services, run: Run, files: JobFiles, queue: Sequence[QueuedRun] | None
) -> Job:
    is_placed = run.status is RunStatus.QUEUED and queue is not None
    position = place_in(queue or (), run) if is_placed else None
    return describe(run, files, url=services.settings.run_url(run.run_id), queue_position=position)


def place_in(queue: Sequence[QueuedRun], run: Run) -> int:
    """From 1. A run that came after the queue was looked at stands behind its equals."""
    places = [place for place, queued in enumerate(queue, 1) if queued.run_id == run.run_id]
    if places:
        return places[0]
    return 1 + sum(queued.priority >= run.priority for queued in queue)
