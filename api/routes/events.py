"""Jobs' changes as server-sent events, of one job or of all."""

from typing import Annotated

from fastapi import APIRouter, Header
from fastapi.responses import Response

from api.auth.roles import Principal
from api.dependencies import (
    Authenticate,
    AuthenticateAgain,
    CurrentServices,
    DownloadReader,
    Services,
)
from api.errors import JobNotFoundError
from api.events.event import Event, moment_of, parse_id
from api.events.stream import EventStream
from api.http.responses import ASKING_DAGSTER, Responses, errors
from api.jobs.finding import find_run

router = APIRouter(prefix="/api/v1", tags=["events"])

LastEventId = Annotated[str | None, Header(alias="Last-Event-ID")]

#: 204 tells a browser not to come back: the job has ended, and its last event has been seen.
_STREAM: Responses = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
    204: {},
}


@router.get(
    "/jobs/{job_id}/events",
    operation_id="streamJobEvents",
    response_class=Response,
    responses={**_STREAM, **errors(*ASKING_DAGSTER, JobNotFoundError)},
)
async def of_job(
    reader: DownloadReader,
    authenticate: AuthenticateAgain,
    services: CurrentServices,
    job_id: str,
    last_event_id: LastEventId = None,
) -> Response:
    return await _follow(services, reader, job_id, parse_id(last_event_id), authenticate)


@router.get(
    "/events/stream",
    operation_id="streamEvents",
    response_class=Response,
    responses={**_STREAM, **errors(*ASKING_DAGSTER, JobNotFoundError)},
)
async def of_all(
    reader: DownloadReader,
    authenticate: AuthenticateAgain,
    services: CurrentServices,
    job_id: str | None = None,
    last_event_id: LastEventId = None,
) -> Response:
    return await _follow(services, reader, job_id, parse_id(last_event_id), authenticate)


async def _follow(
    services: Services,
    reader: Principal,
    job_id: str | None,
    seen: int | None,
    authenticate: Authenticate,
) -> Response:
    """Raises JobNotFoundError, OrchestratorUnavailableError, RateLimitedError."""
    subscription = await services.events.subscribe(reader.name, job_id)
    try:
        missed = await _missed(services, job_id, seen)
    except BaseException:
        subscription.close()
        raise
    if missed is None:
        subscription.close()
        return Response(status_code=204)
    return EventStream(subscription, missed, authenticate)


async def _missed(services: Services, job_id: str | None, seen: int | None) -> list[Event] | None:
    """What the client has not seen; of one job at least how it is, or None if it has ended and
    that has been seen.
    """
    watcher = services.events.watcher
    remembered = None if seen is None else services.events.since(seen, job_id)
    if job_id is None:
        if seen is None or remembered is not None:
            return remembered or []
        return await watcher.updated_since(seen)
    run = await find_run(services.dagster, job_id, with_steps=False)
    if remembered:
        return remembered
    knows_all = remembered is not None or (seen is not None and seen >= moment_of(run))
    if knows_all and run.status.is_terminal:
        return None
    return [] if knows_all else [await watcher.snapshot(run)]
