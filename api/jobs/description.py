"""A Dagster run told as a job: pure functions of the run and of what its pipelines left on disk."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

from api.dagster.run import Run, RunStatus, StepStatus
from api.http.filenames import clean_filename
from api.http.schemas import Job, JobError, JobStatus, PipelineResult
from api.jobs.coverage import Coverage, coverage_of, least
from api.jobs.undescribed import undescribed
from contracts.home import Home
from contracts.retry import PARENT_TAG, carried_over_tag
from contracts.run import (
    FAILURE_TAG,
    KIND,
    KIND_TAG,
    MEDIA_FACTS_TAG,
    MEDIA_PATH_TAG,
    MEDIA_TAG,
    OWNER_TAG,
    PROBE_OP,
    SUBMITTED_AT_TAG,
    USER_TAG_PREFIX,
    WAITING_TAG,
    Failure,
    MediaFacts,
    failure_tag,
    kind_of,
    pipelines_of,
)
from contracts.text import clean_json
from contracts.timestamps import from_epoch, is_timestamp
from pipelines.registry.names import is_name

log = logging.getLogger("framegate.jobs")

_STATUS = {
    RunStatus.QUEUED: JobStatus.PENDING,
    RunStatus.NOT_STARTED: JobStatus.PENDING,
    RunStatus.MANAGED: JobStatus.PENDING,
    RunStatus.STARTING: JobStatus.PENDING,
    RunStatus.SUSPENDED: JobStatus.PENDING,
    RunStatus.STARTED: JobStatus.RUNNING,
    RunStatus.CANCELING: JobStatus.CANCELLING,
    RunStatus.SUCCESS: JobStatus.COMPLETED,
    RunStatus.FAILURE: JobStatus.FAILED,
    RunStatus.CANCELED: JobStatus.CANCELLED,
}
_UNEXPLAINED = "RUN_FAILED"


@dataclass(frozen=True)
class JobFiles:
    """What a job's pipelines left on disk: manifests of the published, progress of all."""

    manifests: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    progress: Mapping[str, float] = field(default_factory=dict)


def is_job(run: Run) -> bool:
    """By its Dagster job: anybody may have written the tag. Every run of ours has one."""
    return KIND_TAG in run.tags and kind_of(run.job_name) == KIND


def job_status(status: RunStatus) -> JobStatus:
    return _STATUS[status]


def statuses_of(status: JobStatus) -> tuple[RunStatus, ...]:
    """What a run may be for its job to have this status."""
    return tuple(run_status for run_status, job in _STATUS.items() if job is status)


def read_files(home: Home, run: Run) -> JobFiles:
    """Missing and half-written files are no news: they are not there yet."""
    results = home.results(run.run_id)
    manifests = {name: _read_json(results / name / "manifest.json") for name in selected(run)}
    return JobFiles(
        manifests={name: manifest for name, manifest in manifests.items() if manifest},
        progress=_read_json(home.progress(run.run_id)),
    )


def selected(run: Run) -> list[str]:
    """The pipelines of the run; of a run from the UI, those that its steps or config name."""
    named = pipelines_of(run.tags, run.job_name)
    names = named or [step.key for step in run.steps] or list(_ops(run))
    return [name for name in names if name != PROBE_OP and is_name(name)]


def describe(run: Run, files: JobFiles, *, url: str, queue_position: int | None = None) -> Job:
    """The job that clients see. One that cannot be described, for what somebody wrote into its tags
    or its folder, says so, and takes no other with it.
    """
    try:
        return _describe(run, files, url=url, queue_position=queue_position)
    except Exception as error:
        log.exception("job %s cannot be described", run.run_id)
        return undescribed(run, job_status(run.status), error, url=url)


def _describe(run: Run, files: JobFiles, *, url: str, queue_position: int | None) -> Job:
    status = job_status(run.status)
    pipelines = pipeline_results(run, files)
    error = _job_error(run, pipelines)
    coverage = least(
        Coverage(result.complete, result.covered_seconds) for result in pipelines.values()
    )
    facts = _media_facts(run)
    ended_at = from_epoch(run.ended_at)
    return Job(
        id=run.run_id,
        status=status,
        created_at=_submitted_at(run) or from_epoch(run.created_at),
        started_at=from_epoch(run.started_at) if _has_started(run) else None,
        completed_at=ended_at if status in {JobStatus.COMPLETED, JobStatus.FAILED} else None,
        cancelled_at=ended_at if status is JobStatus.CANCELLED else None,
        selected_pipelines=list(pipelines),
        config={name: _config(run, name) for name in pipelines},
        video_filename=media_filename(run) or None,
        video_path=media_filename(run) or None,
        video_size_bytes=facts.size_bytes if facts else None,
        video_duration_seconds=facts.duration_seconds if facts else None,
        media=run.tags.get(MEDIA_TAG),
        owner=run.tags.get(OWNER_TAG),
        retry_of=run.tags.get(PARENT_TAG),
        tags=_user_tags(run),
        priority=run.priority,
        queue_position=queue_position,
        waiting_reason=run.tags.get(WAITING_TAG) if status is JobStatus.PENDING else None,
        progress={name: _progress(name, pipelines[name], files) for name in pipelines},
        pipeline_results=pipelines,
        complete=coverage.complete,
        covered_seconds=coverage.seconds,
        error_message=error.message if error else None,
        error=error,
        dagster_url=url,
    )


def pipeline_results(run: Run, files: JobFiles) -> dict[str, PipelineResult]:
    """How far each pipeline of the run is."""
    return {name: _pipeline(name, run, files) for name in selected(run)}


def media_reference(run: Run) -> str:
    """What the run config names as its media: a SHA-256 or a path. Runs from Dagster's catalog
    name it by their tags alone.
    """
    named = _config(run, PROBE_OP).get("media") or run.tags.get(MEDIA_PATH_TAG)
    return str(named or run.tags.get(MEDIA_TAG, ""))


def media_filename(run: Run) -> str:
    facts = _media_facts(run)
    named = facts.filename if facts else _config(run, PROBE_OP).get("filename")
    name = str(named or PurePath(media_reference(run)).name)
    return clean_filename(name) if name else ""


def failure_of(tags: Mapping[str, str], tag: str) -> JobError | None:
    """What a failure tag says; None for one that is absent or that somebody wrote by hand."""
    if tag not in tags:
        return None
    try:
        failure = Failure.from_tag(tags[tag])
    except (ValueError, TypeError):
        return None
    return JobError(code=failure.code, message=failure.message, hint=failure.hint)


def _submitted_at(run: Run) -> str | None:
    tag = run.tags.get(SUBMITTED_AT_TAG, "")
    return tag if is_timestamp(tag) else None


def _has_started(run: Run) -> bool:
    """Dagster gives a run that ended in the queue its end as its start."""
    return run.started_at is not None and run.started_at != run.ended_at


def _pipeline(name: str, run: Run, files: JobFiles) -> PipelineResult:
    step = next((step for step in run.steps if step.key == name), None)
    manifest = files.manifests.get(name)
    error = failure_of(run.tags, failure_tag(name))
    status = _pipeline_status(
        job_status(run.status),
        step.status if step else None,
        is_published=manifest is not None,
        has_failed=error is not None,
        has_begun=name in files.progress,
    )
    result = PipelineResult(status=status, error=error if status is JobStatus.FAILED else None)
    if step:
        result.started_at = from_epoch(step.started_at)
        result.completed_at = from_epoch(step.ended_at) if status.is_terminal else None
    if manifest and status is JobStatus.COMPLETED:
        coverage = coverage_of(manifest)
        result.annotation_count = manifest.get("annotation_count")
        result.complete, result.covered_seconds = coverage.complete, coverage.seconds
        result.files = [f"{name}/{file['name']}" for file in manifest.get("files", ())]
        result.carried_over_from = run.tags.get(carried_over_tag(name))
    return result


def _pipeline_status(
    job: JobStatus,
    step: StepStatus | None,
    *,
    is_published: bool,
    has_failed: bool,
    has_begun: bool,
) -> JobStatus:
    """A step that was cut off looks like one that failed: then how the job ended decides."""
    if step is StepStatus.SUCCESS or (step is None and is_published):
        return JobStatus.COMPLETED
    if has_failed:
        return JobStatus.FAILED
    if job is JobStatus.CANCELLED:
        return JobStatus.CANCELLED
    if job is JobStatus.FAILED or step in {StepStatus.FAILURE, StepStatus.SKIPPED}:
        return JobStatus.FAILED
    if job is JobStatus.COMPLETED:
        return JobStatus.COMPLETED
    begun = step is StepStatus.IN_PROGRESS or (step is None and has_begun)
    return JobStatus.RUNNING if begun else JobStatus.PENDING


def _job_error(run: Run, pipelines: Mapping[str, PipelineResult]) -> JobError | None:
    """Why the job failed: the run's own reason, else the first pipeline's."""
    if run.status is not RunStatus.FAILURE:
        return None
    if error := failure_of(run.tags, FAILURE_TAG):
        return error
    for name, result in pipelines.items():
        if error := result.error:
            return JobError(code=error.code, message=f"{name}: {error.message}", hint=error.hint)
    return JobError(
        code=_UNEXPLAINED,
        message="The run failed without saying why.",
        hint="Its log in the Dagster UI shows what it did last.",
    )


def _progress(name: str, result: PipelineResult, files: JobFiles) -> float:
    if result.status is JobStatus.COMPLETED:
        return 1.0
    fraction = files.progress.get(name, 0.0)
    return min(1.0, max(0.0, float(fraction))) if isinstance(fraction, int | float) else 0.0


def _media_facts(run: Run) -> MediaFacts | None:
    try:
        return MediaFacts.from_tag(run.tags[MEDIA_FACTS_TAG])
    except (KeyError, ValueError, TypeError):
        return None


def _config(run: Run, name: str) -> Mapping[str, Any]:
    op = _ops(run).get(name)
    config = op.get("config") if isinstance(op, dict) else None
    return config if isinstance(config, dict) else {}


def _ops(run: Run) -> Mapping[str, Any]:
    """A run from the UI may have been given anything: only a mapping counts."""
    ops = run.config.get("ops")
    return ops if isinstance(ops, dict) else {}


def _user_tags(run: Run) -> dict[str, str]:
    return {
        key.removeprefix(USER_TAG_PREFIX): value
        for key, value in run.tags.items()
        if key.startswith(USER_TAG_PREFIX)
    }


def _read_json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(clean_json(path.read_bytes().decode()))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
