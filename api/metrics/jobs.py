"""Finished jobs: how they ended, how long they waited and ran, how fast their pipelines were."""

from datetime import datetime

from prometheus_client import CollectorRegistry, Counter, Histogram

from api.dagster.observer import EndedRun
from api.dagster.run import Run, Step, StepStatus
from api.http.schemas import Job, JobError
from api.jobs.description import JobFiles
from api.metrics.labels import LabelValues

_WAITS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14400, 86400)
_DURATIONS = (0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 1800, 3600, 7200, 14400, 43200)
_SPEEDS = (0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class JobMetrics:
    """Each finished job is counted once, by the Dagster job that it was a run of."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._jobs = LabelValues()
        self._pipelines = LabelValues()
        self._codes = LabelValues()
        self._finished = Counter(
            "framegate_jobs_finished",
            "Jobs that have ended since the API started; error_code is empty unless they failed.",
            ["dagster_job", "outcome", "error_code"],
            registry=registry,
        )
        self._pipelines_finished = Counter(
            "framegate_pipelines_finished",
            "Pipelines that ran in these jobs, by how each of them ended.",
            ["pipeline", "outcome", "error_code"],
            registry=registry,
        )
        self._queue_wait = _histogram(
            "framegate_job_queue_wait", "Seconds in the queue.", _WAITS, registry
        )
        self._start_latency = _histogram(
            "framegate_job_start_latency",
            "Seconds from the submission to the start, the queue included.",
            _WAITS,
            registry,
        )
        self._duration = _histogram(
            "framegate_job_duration", "Seconds from the start to the end.", _DURATIONS, registry
        )
        self._speed = Histogram(
            "framegate_pipeline_speed",
            "Seconds of media that a pipeline annotates in a second.",
            ["pipeline", "device"],
            unit="ratio",
            buckets=_SPEEDS,
            registry=registry,
        )

    def observe(self, ended: EndedRun, job: Job, files: JobFiles) -> None:
        """`job` and `files` are of the same run as `ended`."""
        name = self._jobs.bounded(ended.run.job_name)
        self._finished.labels(name, job.status, self._code(job.error)).inc()
        if ended.enqueued_at and ended.launched_at:
            self._queue_wait.labels(name).observe(max(0.0, ended.launched_at - ended.enqueued_at))
        if job.started_at and ended.run.started_at:
            submitted = datetime.fromisoformat(job.created_at).timestamp()
            self._start_latency.labels(name).observe(max(0.0, ended.run.started_at - submitted))
            self._duration.labels(name).observe(_seconds(ended.run))
        for step in ended.run.steps:
            if step.key in job.pipeline_results:
                self._observe_pipeline(step, job, files)

    def _observe_pipeline(self, step: Step, job: Job, files: JobFiles) -> None:
        pipeline = self._pipelines.bounded(step.key)
        result = job.pipeline_results[step.key]
        self._pipelines_finished.labels(pipeline, result.status, self._code(result.error)).inc()
        speed = speed_of(step, files)
        if speed:
            self._speed.labels(pipeline, device_kind(step, files)).observe(speed)

    def _code(self, error: JobError | None) -> str:
        return self._codes.bounded(error.code) if error else ""


def speed_of(step: Step, files: JobFiles) -> float | None:
    """None for a step that did not succeed, and for media without a duration."""
    manifest = files.manifests.get(step.key)
    if step.status is not StepStatus.SUCCESS or not (
        manifest and step.started_at and step.ended_at
    ):
        return None
    media_seconds = float(manifest.get("media", {}).get("duration_seconds") or 0.0)
    return media_seconds / max(step.ended_at - step.started_at, 0.001) or None


def device_kind(step: Step, files: JobFiles) -> str:
    """`cuda` of "cuda:0 NVIDIA H100", `cpu` of everything that is no GPU."""
    device = str(files.manifests.get(step.key, {}).get("device", ""))
    return "cuda" if device.startswith("cuda") else "cpu"


def _seconds(run: Run) -> float:
    return max(0.0, (run.ended_at or 0.0) - (run.started_at or 0.0))


def _histogram(
    name: str, documentation: str, buckets: tuple[float, ...], registry: CollectorRegistry
) -> Histogram:
    return Histogram(
        name, documentation, ["dagster_job"], unit="seconds", buckets=buckets, registry=registry
    )
