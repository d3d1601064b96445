"""Cancelling a job: asks Dagster to stop the run, and answers when Dagster says how it ended."""

import asyncio
import json
import logging
import time
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from secrets import token_hex
from typing import Any

from anyio import to_thread

from api.auth.roles import Principal
from api.dagster.run import Run, RunStatus
from api.dependencies import Services
from api.errors import CancellationFailedError, FramegateError, JobAlreadyCompletedError
from api.http.schemas import CancellationResponse, CancellationStatus, GpuRelease
from api.jobs.finding import check_owner, find_run
from api.metrics.cancellations import CancellationOutcome
from contracts.run import CANCELLATION_FAILED_TAG, RELEASE_TAG
from contracts.timestamps import from_epoch, now

log = logging.getLogger("framegate.jobs")

_SHORTEST_PAUSE = 0.02
_LONGEST_PAUSE = 0.15

_MESSAGES = {
    CancellationStatus.CANCELLED: "The job was cancelled.",
    CancellationStatus.COMPLETED: "The job had completed before it could be cancelled.",
    CancellationStatus.FAILED: "The job had failed before it could be cancelled.",
}
_STATUS = {
    RunStatus.CANCELED: CancellationStatus.CANCELLED,
    RunStatus.SUCCESS: CancellationStatus.COMPLETED,
    RunStatus.FAILURE: CancellationStatus.FAILED,
}


class Move(Enum):
    """What to do next about a run that is to end."""

    ANSWER = auto()
    TERMINATE = auto()
    WAIT = auto()
    GIVE_UP = auto()


def decide(run: Run, *, out_of_time: bool) -> Move:
    """Dagster takes a safe termination for queued and started runs only: in between, wait."""
    if run.status.is_terminal:
        return Move.ANSWER
    if run.tags.get(CANCELLATION_FAILED_TAG) or out_of_time:
        return Move.GIVE_UP
    if run.status in {RunStatus.QUEUED, RunStatus.STARTED}:
        return Move.TERMINATE
    return Move.WAIT


async def cancel_job(
    services: Services, job_id: str, principal: Principal, *, reason: str | None, strict: bool
) -> CancellationResponse:
    """Ends the job's run and says how it ended, however often it is asked.

    Raises JobNotFoundError, ForbiddenError, CancellationFailedError, and with `strict`
    JobAlreadyCompletedError for a job that completed or failed.
    """
    started = time.monotonic()
    run = await find_run(services.dagster, job_id, with_steps=False)
    check_owner(run, principal)
    was_finished = run.status.is_terminal
    if not was_finished:
        path = services.home.cancellation(job_id)
        await to_thread.run_sync(_keep_reason, path, principal.name, reason)
        try:
            run = await _end(services, run)
        except FramegateError:
            _tell(services, job_id, CancellationOutcome.FAILED, started)
            raise
    _tell(services, job_id, outcome_of(run, was_finished=was_finished), started)
    response = answer(run)
    if strict and response.status is not CancellationStatus.CANCELLED:
        raise JobAlreadyCompletedError(response.message, detail={"status": response.status})
    return response


def outcome_of(run: Run, *, was_finished: bool) -> CancellationOutcome:
    """Of a cancellation whose run is over: only what was still going on was cancelled by it."""
    if was_finished or run.status is not RunStatus.CANCELED:
        return CancellationOutcome.ALREADY_FINISHED
    return CancellationOutcome.CANCELLED


def answer(run: Run) -> CancellationResponse:
    status = _STATUS[run.status]
    cancelled = status is CancellationStatus.CANCELLED
    return CancellationResponse(
        job_id=run.run_id,
        status=status,
        message=_MESSAGES[status],
        cancelled_at=from_epoch(run.ended_at) if cancelled else None,
        gpu=_gpu(run) if cancelled else None,
    )


async def _end(services: Services, run: Run) -> Run:
    """The run in its terminal state. Raises CancellationFailedError if it does not reach one."""
    started = time.monotonic()
    while True:
        waited = time.monotonic() - started
        match decide(run, out_of_time=waited > services.settings.cancel_timeout):
            case Move.ANSWER:
                return run
            case Move.GIVE_UP:
                raise _failure(run)
            case Move.TERMINATE:
                await services.dagster.terminate(run.run_id)
            case Move.WAIT:
                pass
        # Often at first, rarely later: a quarter of what was waited so far.
        await asyncio.sleep(min(max(waited / 4, _SHORTEST_PAUSE), _LONGEST_PAUSE))
        run = await services.dagster.run_state(run.run_id)


def _tell(services: Services, job_id: str, outcome: CancellationOutcome, started: float) -> None:
    seconds = time.monotonic() - started
    services.metrics.cancellations.observe(outcome, seconds)
    log.info(
        "a cancellation was asked for",
        extra={"job_id": job_id, "outcome": outcome, "duration_seconds": round(seconds, 6)},
    )


def _failure(run: Run) -> CancellationFailedError:
    known = _json(run.tags.get(CANCELLATION_FAILED_TAG))
    if known:
        return CancellationFailedError(
            "The job's processes cannot be killed; its device is out of service until they end.",
            hint="Ask your administrator to look at these processes.",
            detail=known,
        )
    return CancellationFailedError(
        "The job was told to stop and has not stopped yet.",
        hint="It goes on stopping: ask for its status, or cancel again.",
        detail={"run_status": run.status},
    )


def _gpu(run: Run) -> GpuRelease | None:
    release = _json(run.tags.get(RELEASE_TAG))
    return GpuRelease.model_validate(release) if release else None


def _json(tag: str | None) -> dict[str, Any]:
    return dict(json.loads(tag)) if tag else {}


def _keep_reason(path: Path, name: str, reason: str | None) -> None:
    """Written where the supervisor finds it, as a whole. The first request is kept.

    Where it cannot be kept, on a full disk, the job is cancelled all the same.
    """
    temporary = path.with_name(f"{path.name}.{token_hex(8)}")
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps({"reason": reason, "by": name, "requested_at": now()}))
        path.hardlink_to(temporary)
    with suppress(OSError):
        temporary.unlink()
