"""What was measured of a stack, summed up."""

import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.idle import Part
from benchmarks.launch_measurements import Cancellation, Start

#: From one moment that our stack writes down to the next; the last ends at the first line.
PARTS = (
    ("post, until it is queued", "", "RUN_ENQUEUED"),
    ("queue", "RUN_ENQUEUED", "RUN_STARTING"),
    ("fork", "RUN_STARTING", "WORKER_STARTED"),
    ("start of run", "WORKER_STARTED", "STEP_START"),
    ("first op (probe)", "STEP_START", "STEP_START trivial"),
    ("from STEP_START to the first line", "STEP_START trivial", "first line"),
)


@dataclass(frozen=True)
class Spread:
    """Of several measurements, in seconds."""

    n: int
    median: float
    p95: float


def spread(values: Iterable[float | None]) -> Spread | None:
    """None if there are none, or if something measured did not happen in time."""
    known = list(values)
    happened = [value for value in known if value is not None]
    if not happened or len(happened) < len(known):
        return None
    if len(happened) == 1:
        return Spread(1, happened[0], happened[0])
    cuts = statistics.quantiles(happened, n=20, method="inclusive")
    return Spread(len(happened), statistics.median(happened), cuts[-1])


@dataclass
class Report:
    """Seconds throughout; `load` is the machine's load average before each step."""

    name: str
    problem: str | None = None
    load: list[float] = field(default_factory=list)
    starts: list[Start] = field(default_factory=list)
    burst: float | None = None
    listening: list[Cancellation] = field(default_factory=list)
    swallowing: list[Cancellation] = field(default_factory=list)
    kills: list[float | None] = field(default_factory=list)
    idle: list[Part] = field(default_factory=list)

    @property
    def answer(self) -> Spread | None:
        return spread(start.answer for start in self.starts)

    @property
    def first_line(self) -> Spread | None:
        return spread(start.first_line for start in self.starts)

    @property
    def parts(self) -> dict[str, Spread | None]:
        """Where the time until the first line goes; empty where the stack does not say."""
        moments = [
            {"": 0.0, **start.moments, "first line": start.first_line} for start in self.starts
        ]
        if not moments or any("STEP_START trivial" not in each for each in moments):
            return {}
        return {
            name: spread(each[end] - each[begin] for each in moments) for name, begin, end in PARTS
        }

    @property
    def gone(self) -> Spread | None:
        return spread(each.gone for each in self.listening)

    @property
    def cancelled(self) -> Spread | None:
        return spread(each.cancelled for each in self.listening)

    @property
    def swallowed(self) -> Spread | None:
        """Until a job that swallows everything is both gone and called cancelled."""
        return spread(
            None if each.gone is None or each.cancelled is None else max(each.gone, each.cancelled)
            for each in self.swallowing
        )

    @property
    def failed(self) -> Spread | None:
        """Until a job whose worker was killed is called failed."""
        return spread(self.kills)

    @property
    def idle_share(self) -> float | None:
        return sum(part.share for part in self.idle) if self.idle else None

    @property
    def megabytes(self) -> float | None:
        return sum(part.megabytes for part in self.idle) if self.idle else None
