"""A job that cannot be described: its tags, or what lies in its folder, were changed by hand."""

from api.dagster.run import Run
from api.http.schemas import Job, JobError, JobStatus
from contracts.run import OWNER_TAG
from contracts.text import clean_text
from contracts.timestamps import from_epoch

CODE = "JOB_NOT_DESCRIBABLE"


def undescribed(run: Run, status: JobStatus, error: Exception, *, url: str) -> Job:
    """What Dagster itself says of the run, and why there is no more."""
    ended_at = from_epoch(run.ended_at)
    message = clean_text(f"The job cannot be described: {type(error).__name__}: {error}")
    return Job(
        id=run.run_id,
        status=status,
        created_at=from_epoch(run.created_at) or "",
        started_at=from_epoch(run.started_at),
        completed_at=ended_at if status in {JobStatus.COMPLETED, JobStatus.FAILED} else None,
        cancelled_at=ended_at if status is JobStatus.CANCELLED else None,
        selected_pipelines=[],
        config={},
        complete=None,
        covered_seconds=None,
        video_filename=None,
        video_path=None,
        video_size_bytes=None,
        video_duration_seconds=None,
        media=None,
        owner=run.tags.get(OWNER_TAG),
        retry_of=None,
        tags={},
        priority=0,
        queue_position=None,
        waiting_reason=None,
        progress={},
        pipeline_results={},
        error_message=message,
        error=JobError(code=CODE, message=message, hint="See the run in the Dagster UI."),
        dagster_url=url,
    )
