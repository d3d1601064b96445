"""`/api/v1/jobs`: submit, list, look at, cancel and delete jobs."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import WithJsonSchema

from api.auth.audit import record
from api.dependencies import Annotator, CurrentServices, Reader, RequestId
from api.errors import (
    CancellationFailedError,
    GpuOutOfMemoryError,
    IdempotencyInFlightError,
    IdempotencyMismatchError,
    InvalidConfigError,
    InvalidRequestError,
    JobAlreadyCompletedError,
    JobNotFinishedError,
    JobNotFoundError,
    NotFoundError,
    PipelineNotFoundError,
    ProbeUnavailableError,
    StorageFullError,
    ValidationUnavailableError,
)
from api.http.fields import documented, read_model
from api.http.responses import ASKING_DAGSTER, WITH_BODY, Responses, errors, header
from api.http.schemas import (
    CancellationRequest,
    CancellationResponse,
    Job,
    JobPage,
    JobStatus,
    JobSubmission,
    RetryRequest,
    Upload,
)
from api.jobs.cancel import cancel_job
from api.jobs.finding import JobQuery, check_owner, get_job, job_of, list_jobs
from api.jobs.retry import retry_job
from api.results.files import delete_job, find_finished_run
from api.submissions.idempotency import KEY_PATTERN, check_key
from api.submissions.launch import LaunchResult
from api.submissions.plan import launch
from api.submissions.receive import receive_submission

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])

#: The body is read by hand: the file in it is streamed to the disk.
_SUBMISSION_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": Upload.model_json_schema()},
            "application/json": {"schema": JobSubmission.model_json_schema()},
        },
    }
}

IdempotencyKey = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "pattern": KEY_PATTERN})] | None,
    Header(alias="Idempotency-Key"),
]


#: What a submission and a retry have in common, the errors and the headers.
_LAUNCH = (InvalidConfigError, IdempotencyInFlightError, IdempotencyMismatchError)
_QUEUED: Responses = {
    201: {
        "headers": {
            "Location": header(),
            "Idempotency-Replayed": header(required=False),
        }
    }
}


@router.post(
    "",
    operation_id="submitJob",
    status_code=201,
    responses=_QUEUED
    | errors(
        *ASKING_DAGSTER,
        *WITH_BODY,
        *_LAUNCH,
        NotFoundError,
        ProbeUnavailableError,
        PipelineNotFoundError,
        ValidationUnavailableError,
        StorageFullError,
        GpuOutOfMemoryError,
    ),
    openapi_extra=_SUBMISSION_BODY,
)
async def submit(
    principal: Annotator,
    services: CurrentServices,
    request_id: RequestId,
    request: Request,
    response: Response,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    if idempotency_key is not None:
        check_key(idempotency_key)
    plan, media = await receive_submission(services, request)
    # Meanwhile, not afterwards: it is the only other question that a submission asks. That a job
    # was submitted is told, even where its place is not known.
    asking = asyncio.create_task(services.queue.runs_if_known())
    try:
        outcome = await launch(
            services,
            plan,
            media,
            principal,
            request_id=request_id,
            idempotency_key=idempotency_key,
        )
        queue = await asking
    finally:
        asking.cancel()
    if not outcome.is_replay:
        await record(services.home, request, principal, "job.submit", job_id=outcome.run.run_id)
    _announce(outcome, response)
    return await job_of(services, outcome.run, queue)


@router.get(
    "",
    operation_id="listJobs",
    responses=errors(*ASKING_DAGSTER),
)
async def index(
    _reader: Reader,
    services: CurrentServices,
    *,
    page: Annotated[int, Query(ge=1)] = 1,
    per_page: Annotated[int, Query(ge=1, le=100)] = 20,
    status: JobStatus | None = None,
    status_filter: JobStatus | None = None,
    pipeline: Annotated[str | None, Query(max_length=63)] = None,
    cursor: Annotated[str | None, Query(max_length=64)] = None,
) -> JobPage:
    wanted = _one_status(status, status_filter)
    return await list_jobs(services, JobQuery(page, per_page, wanted, pipeline, cursor))


@router.get(
    "/{job_id}",
    operation_id="getJob",
    responses=errors(*ASKING_DAGSTER, JobNotFoundError),
)
async def show(_reader: Reader, services: CurrentServices, job_id: str) -> Job:
    return await get_job(services, job_id)


@router.post(
    "/{job_id}/cancel",
    operation_id="cancelJob",
    response_model_exclude_none=True,
    responses=errors(
        *ASKING_DAGSTER,
        *WITH_BODY,
        JobNotFoundError,
        JobAlreadyCompletedError,
        CancellationFailedError,
    ),
    openapi_extra=documented(CancellationRequest, required=False),
)
async def cancel(
    principal: Annotator,
    services: CurrentServices,
    request: Request,
    job_id: str,
    *,
    strict: bool = False,
) -> CancellationResponse:
    reason = None
    if _has_body(request):
        body = await read_model(request, CancellationRequest, services.settings.max_json_bytes)
        reason = body.reason
    answer = await cancel_job(services, job_id, principal, reason=reason, strict=strict)
    await record(services.home, request, principal, "job.cancel", job_id=job_id, reason=reason)
    return answer


@router.post(
    "/{job_id}/retry",
    operation_id="retryJob",
    status_code=201,
    responses=_QUEUED
    | errors(
        *ASKING_DAGSTER,
        *WITH_BODY,
        *_LAUNCH,
        JobNotFoundError,
        PipelineNotFoundError,
        NotFoundError,
        JobNotFinishedError,
        JobAlreadyCompletedError,
    ),
    openapi_extra=documented(RetryRequest, required=False),
)
async def retry(
    principal: Annotator,
    services: CurrentServices,
    request_id: RequestId,
    request: Request,
    response: Response,
    *,
    job_id: str,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    if idempotency_key is not None:
        check_key(idempotency_key)
    body = RetryRequest()
    if _has_body(request):
        body = await read_model(request, RetryRequest, services.settings.max_json_bytes)
    outcome = await retry_job(
        services,
        job_id,
        principal,
        priority=body.priority,
        request_id=request_id,
        idempotency_key=idempotency_key,
    )
    if not outcome.is_replay:
        await record(
            services.home,
            request,
            principal,
            "job.retry",
            job_id=outcome.run.run_id,
            retry_of=job_id,
        )
    _announce(outcome, response)
    return await job_of(services, outcome.run, await services.queue.runs_if_known())


@router.delete(
    "/{job_id}",
    operation_id="deleteJob",
    status_code=204,
    responses=errors(*ASKING_DAGSTER, JobNotFoundError, JobNotFinishedError),
)
async def delete(
    principal: Annotator, services: CurrentServices, request: Request, job_id: str
) -> None:
    run = await find_finished_run(services, job_id)
    check_owner(run, principal)
    await delete_job(services, run)
    await record(services.home, request, principal, "job.delete", job_id=job_id)


def _one_status(status: JobStatus | None, status_filter: JobStatus | None) -> JobStatus | None:
    """Raises InvalidRequestError where the two names of the parameter disagree."""
    if status and status_filter and status is not status_filter:
        raise InvalidRequestError(
            "'status' and 'status_filter' are the same parameter, and they disagree.",
            field="status_filter",
            hint="Give one of them.",
        )
    return status or status_filter


def _announce(outcome: LaunchResult, response: Response) -> None:
    response.headers["Location"] = f"{router.prefix}/{outcome.run.run_id}"
    if outcome.is_replay:
        response.headers["Idempotency-Replayed"] = "true"


def _has_body(request: Request) -> bool:
    announced = request.headers.get("content-length", "0")
    return announced != "0" or "transfer-encoding" in request.headers
