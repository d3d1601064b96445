"""What our stack is to reach, in numbers of its own and beside the others in the same run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from benchmarks.launch_report import Report, Spread

OURS, RAY, DAGSTER = "Framegate", "Ray Jobs", "Dagster"


@dataclass(frozen=True)
class Goal:
    """`value` is to be `limit` at most; None for what could not be measured."""

    name: str
    value: float | None
    limit: float | None

    @property
    def ratio(self) -> float | None:
        """1 is just met; half of it is twice as good."""
        return self.value / self.limit if self.value is not None and self.limit else None

    @property
    def met(self) -> bool | None:
        return None if self.ratio is None else self.ratio <= 1.0


def judge(reports: Mapping[str, Report]) -> list[Goal]:
    return list(_goals(*(reports.get(name, Report(name)) for name in (OURS, RAY, DAGSTER))))


def _goals(ours: Report, ray: Report, dagster: Report) -> Iterator[Goal]:
    first_line = _median(ours.first_line)
    yield Goal("first line, median: 0.5 s", first_line, 0.5)
    yield Goal("first line, median: 1/4 of Ray's", first_line, _part(_median(ray.first_line), 4))
    yield Goal(
        "first line, median: 1/10 of Dagster's", first_line, _part(_median(dagster.first_line), 10)
    )
    yield Goal("burst: 1/4 of Ray's", ours.burst, _part(ray.burst, 4))
    yield Goal("listening job, process gone, p95: 0.3 s", _p95(ours.gone), 0.3)
    yield Goal("listening job, 200 with CANCELLED, p95: 0.5 s", _p95(ours.cancelled), 0.5)
    yield Goal("job that swallows everything, p95: 6.5 s", _p95(ours.swallowed), 6.5)
    yield Goal("worker killed, job failed, p95: 1 s", _p95(ours.failed), 1.0)
    yield Goal("idle, share of a core: 3 %", ours.idle_share, 0.03)
    yield Goal("idle, MB: Ray's", ours.megabytes, ray.megabytes)


def _median(spread: Spread | None) -> float | None:
    return spread.median if spread else None


def _p95(spread: Spread | None) -> float | None:
    return spread.p95 if spread else None


def _part(value: float | None, count: int) -> float | None:
    return value / count if value is not None else None
