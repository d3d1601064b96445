"""Retrying a job: a new one does what the old one did not complete, and has the results of both."""

from anyio import to_thread

from api.auth.roles import Principal
from api.dagster.run import Run, RunStatus
from api.dependencies import Services
from api.errors import JobAlreadyCompletedError, NotFoundError, PipelineNotFoundError
from api.jobs.description import job_status, media_reference, selected
from api.jobs.finding import check_owner, find_run
from api.results.files import check_finished
from api.submissions.idempotency import fingerprint
from api.submissions.launch import LaunchResult, launch_once
from contracts.retry import RETRIED_BY_TAG, RETRY_KEY_TAG
from contracts.run import LAUNCH_TAG, PRIORITY_TAG, REQUEST_ID_TAG, SUBMITTED_AT_TAG
from contracts.stored_media import claim_media
from contracts.timestamps import now
from pipelines.registry.catalog import Catalog


async def retry_job(
    services: Services,
    job_id: str,
    principal: Principal,
    *,
    priority: int | None,
    request_id: str,
    idempotency_key: str | None,
) -> LaunchResult:
    """Queues a run of what the job did not complete. The new job has the old one's owner.

    Raises JobNotFoundError, ForbiddenError, JobNotFinishedError, JobAlreadyCompletedError,
    PipelineNotFoundError, NotFoundError where the media is gone, OrchestratorUnavailableError,
    IdempotencyInFlightError, IdempotencyMismatchError.
    """
    run = await find_run(services.dagster, job_id, with_steps=False)
    check_owner(run, principal)
    check_retriable(run, services.catalog)
    await to_thread.run_sync(_claim_media, services, run)
    tags = {
        SUBMITTED_AT_TAG: now(),
        REQUEST_ID_TAG: request_id,
        RETRIED_BY_TAG: principal.name,
    }
    if priority is not None:
        tags[PRIORITY_TAG] = str(priority)
    if idempotency_key is None:
        return LaunchResult(await services.dagster.reexecute(job_id, tags=tags))
    tags[RETRY_KEY_TAG] = idempotency_key
    meaning = fingerprint({"retry_of": job_id, "priority": priority})
    claim = await to_thread.run_sync(
        services.idempotency.claim, principal.name, idempotency_key, meaning
    )
    return await launch_once(
        services,
        claim,
        lambda launch_id: services.dagster.reexecute(job_id, tags=tags | {LAUNCH_TAG: launch_id}),
    )


def check_retriable(run: Run, catalog: Catalog) -> None:
    """Raises JobNotFinishedError, JobAlreadyCompletedError, PipelineNotFoundError."""
    check_finished(run)
    if run.status is RunStatus.SUCCESS:
        raise JobAlreadyCompletedError(
            "The job has completed: nothing of it is left to do.",
            hint="Submit its media again, by the hash in `media`, to annotate it once more.",
            detail={"status": job_status(run.status)},
        )
    gone = [name for name in selected(run) if name not in catalog.cards]
    if gone:
        raise PipelineNotFoundError(
            f"The job was of {', '.join(gone)}, which is not installed any more.",
            hint=f"There are: {', '.join(catalog.names)}.",
        )


def _claim_media(services: Services, run: Run) -> None:
    """Raises NotFoundError if it is gone; if not, retention spares it until there is the run."""
    reference = media_reference(run)
    claim_media(services.home, reference)
    if not services.media.is_there(reference):
        raise NotFoundError("The media of this job is gone.", field="media")
