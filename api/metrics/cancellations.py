"""Cancellations asked for over REST: how they ended, and how long that took."""

from enum import StrEnum

from prometheus_client import CollectorRegistry, Histogram

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 7.5, 10, 15, 25)


class CancellationOutcome(StrEnum):
    """A job may end by itself before its cancellation does: then it `already_finished`."""

    CANCELLED = "cancelled"
    ALREADY_FINISHED = "already_finished"
    FAILED = "failed"


class CancellationMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._duration = Histogram(
            "framegate_cancellation_duration",
            "Seconds from a request to cancel to its answer, by how it ended.",
            ["outcome"],
            unit="seconds",
            buckets=_SECONDS,
            registry=registry,
        )
        for outcome in CancellationOutcome:
            self._duration.labels(outcome)

    def observe(self, outcome: CancellationOutcome, seconds: float) -> None:
        self._duration.labels(outcome).observe(seconds)
