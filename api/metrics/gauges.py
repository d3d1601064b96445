"""A snapshot told as gauges, purely. What is not known has no sample: none is out of date."""

from collections import Counter
from collections.abc import Iterable, Iterator

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.dagster.observer import Activity
from api.http.schemas import JobStatus
from api.jobs.description import is_job, job_status
from api.metrics.devices import device_families
from api.metrics.families import gauge
from api.metrics.labels import OTHER, LabelValues
from api.metrics.snapshot import Snapshot
from contracts.run import CANCELLATION_FAILED_TAG, MAINTENANCE_JOBS


class Gauges(Collector):
    """Collects from the last snapshot."""

    def __init__(self) -> None:
        self.snapshot: Snapshot | None = None
        self._jobs = LabelValues()

    def collect(self) -> Iterable[Metric]:
        return families(self.snapshot, self._jobs) if self.snapshot else ()


def families(snapshot: Snapshot, jobs: LabelValues) -> Iterator[Metric]:
    activity = snapshot.activity
    yield gauge(
        "framegate_orchestrator_up", "Whether Dagster answers in time.", float(activity is not None)
    )
    if activity:
        yield from _orchestrator(activity, snapshot)
        yield _active_jobs(activity, jobs)
    yield from device_families(snapshot)
    yield gauge(
        "framegate_database_up",
        "Whether the adapter's own database answers in time.",
        float(snapshot.is_database_up),
    )
    if snapshot.disk:
        yield gauge(
            "framegate_disk_size", "The disk of the home.", snapshot.disk.size, unit="bytes"
        )
        yield gauge(
            "framegate_disk_free",
            "What is free on the disk of the home.",
            snapshot.disk.free,
            unit="bytes",
        )


def _orchestrator(activity: Activity, snapshot: Snapshot) -> Iterator[Metric]:
    daemons = GaugeMetricFamily(
        "framegate_orchestrator_daemon_up",
        "Whether the daemon beats, and without errors.",
        labels=["daemon"],
    )
    for daemon in snapshot.daemons:
        daemons.add_metric([daemon.name], float(daemon.healthy))
    yield daemons
    if activity.instance.run_limit is not None:
        yield gauge(
            "framegate_orchestrator_run_limit",
            "How many runs may run at once.",
            activity.instance.run_limit,
        )
    yield gauge(
        "framegate_queue_length",
        "Runs in the queue, those of maintenance included.",
        len(activity.queued),
    )
    yield gauge(
        "framegate_queue_oldest_wait",
        "For how long the oldest run in the queue has been there; 0 for an empty queue.",
        snapshot.oldest_wait,
        unit="seconds",
    )
    yield gauge(
        "framegate_cancellations_stuck",
        "Runs whose processes could not be killed, whoever cancelled them, until they are gone.",
        sum(CANCELLATION_FAILED_TAG in run.tags for run in activity.running),
    )


def _active_jobs(activity: Activity, jobs: LabelValues) -> Metric:
    family = GaugeMetricFamily(
        "framegate_jobs",
        "Jobs that have not ended, by the Dagster job that they are runs of.",
        labels=["state", "dagster_job"],
    )
    for (state, job), count in sorted(_counts(activity, jobs).items()):
        family.add_metric([state, job], count)
    return family


def _counts(activity: Activity, jobs: LabelValues) -> Counter[tuple[JobStatus, str]]:
    """Queued runs of Dagster jobs that were not counted each are `other`."""
    counts: Counter[tuple[JobStatus, str]] = Counter(
        (job_status(run.status), jobs.bounded(run.job_name))
        for run in activity.running
        if is_job(run)
    )
    for job, count in activity.queued_by_job.items():
        if job not in MAINTENANCE_JOBS:
            counts[JobStatus.PENDING, jobs.bounded(job)] += count
    others = len(activity.queued) - sum(activity.queued_by_job.values())
    if others > 0:
        counts[JobStatus.PENDING, OTHER] += others
    return counts
