"""What jobs cost over REST, beside the one question to Dagster that each call cannot do without.

A real stack whose storage holds 10,000 finished runs. The two sides of a comparison take turns.
At the end, 64 clients do everything at once for a minute. It takes about four minutes.
"""

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from api.dagster import documents
from benchmarks.crowd import Crowd, run_crowd
from benchmarks.running_stack import RunningStack, running_stack

Result = TypeVar("Result")

HISTORY = 10_000
_MOST = 1.3
_LIST_MILLISECONDS = 100.0
_MOST_GROWTH = 0.1
_WARM_UP = 3


@dataclass(frozen=True)
class Row:
    """Milliseconds; `bare` is what the call is measured against."""

    name: str
    median: float
    p95: float
    bare: float | None
    goal: str
    met: bool


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.jobs_api", description=__doc__)
    parser.add_argument("--launches", type=int, default=30, help="of each side")
    parser.add_argument("--looks", type=int, default=300, help="of each side")
    parser.add_argument("--crowd-seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args(arguments)
    with running_stack(HISTORY) as stack:
        rows = [
            compare_launches(stack, options.launches),
            compare_looks(stack, options.looks),
            *measure_lists(stack, options.looks // 5),
        ]
        crowd = asyncio.run(run_crowd(stack, options.crowd_seconds))
    rows += judge_crowd(crowd)
    show(rows, crowd)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        results = {"rows": [asdict(row) for row in rows], "crowd": _summary(crowd)}
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def compare_launches(stack: RunningStack, count: int) -> Row:
    """Both sides launch the same run, one at a time: its job has ended before the next."""
    first = stack.submit()
    stack.wait(first)
    parameters = stack.launch_parameters(first)
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(_WARM_UP + count):
        launched, taken = timed(stack.submit)
        ours.append(taken)
        stack.wait(launched)
        answer, taken = timed(lambda: stack.ask_dagster(documents.LAUNCH, parameters=parameters))
        bare.append(taken)
        stack.wait(answer["result"]["run"]["runId"])
    return _compared("POST /api/v1/jobs, beside launchRun", ours, bare)


def compare_looks(stack: RunningStack, count: int) -> Row:
    job = stack.submit()
    stack.wait(job)
    ours: list[float] = []
    bare: list[float] = []
    for _ in range(_WARM_UP + count):
        ours.append(timed(lambda: stack.look(job))[1])
        bare.append(timed(lambda: stack.ask_dagster(documents.RUN, runId=job))[1])
    return _compared("GET /api/v1/jobs/{id}, beside its question", ours, bare)


def measure_lists(stack: RunningStack, count: int) -> list[Row]:
    """At the top, and half-way down by page and by cursor."""
    half_way = HISTORY // 50 // 2
    cursor = stack.list_jobs(per_page=50, page=half_way)["next_cursor"]
    ways: dict[str, dict[str, int | str]] = {
        "the newest 50": {"per_page": 50},
        f"page {half_way} of 50": {"per_page": 50, "page": half_way},
        "50 after a cursor": {"per_page": 50, "cursor": cursor},
    }
    return [
        _listed(f"GET /api/v1/jobs, {name} of {HISTORY:,}", stack, query, count)
        for name, query in ways.items()
    ]


def judge_crowd(crowd: Crowd) -> list[Row]:
    every = [taken for each in crowd.latencies.values() for taken in each]
    median, p95 = spread(every)
    return [
        Row("the crowd: 5xx answers", median, p95, None, "none", crowd.server_errors == 0),
        Row("the crowd: memory", median, p95, None, "flat", crowd.growth <= _MOST_GROWTH),
    ]


def show(rows: Sequence[Row], crowd: Crowd) -> None:
    table = Table("call", "median ms", "p95 ms", "bare ms", "ratio", "goal", "met")
    for row in rows:
        ratio = f"{row.median / row.bare:.2f}x" if row.bare else ""
        bare = f"{row.bare:.1f}" if row.bare else ""
        met = "yes" if row.met else "NO"
        table.add_row(row.name, f"{row.median:.1f}", f"{row.p95:.1f}", bare, ratio, row.goal, met)
    details = Table("in the crowd", "requests", "median ms", "p95 ms")
    for name, taken in crowd.latencies.items():
        median, p95 = spread(taken)
        details.add_row(name, str(len(taken)), f"{median:.0f}", f"{p95:.0f}")
    console = Console()
    console.print(table)
    console.print(details)
    console.print(
        f"{crowd.requests} requests in {crowd.seconds:.0f} s; statuses {dict(crowd.statuses)}; "
        f"memory of the API {crowd.memory[0]:.0f} MB before, {crowd.memory[-1]:.0f} MB after"
    )


def _listed(name: str, stack: RunningStack, query: dict[str, int | str], count: int) -> Row:
    times = [timed(lambda: stack.list_jobs(**query))[1] for _ in range(_WARM_UP + count)]
    median, p95 = spread(times[_WARM_UP:])
    goal = f"{_LIST_MILLISECONDS:.0f} ms"
    return Row(name, median, p95, None, goal, median <= _LIST_MILLISECONDS)


def timed(call: Callable[[], Result]) -> tuple[Result, float]:
    """With how many milliseconds it took."""
    started = time.perf_counter()
    result = call()
    return result, 1000 * (time.perf_counter() - started)


def _compared(name: str, ours: Sequence[float], bare: Sequence[float]) -> Row:
    median, p95 = spread(ours[_WARM_UP:])
    base = statistics.median(bare[_WARM_UP:])
    return Row(name, median, p95, base, f"{_MOST:g}x", median <= _MOST * base)


def spread(times: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile; of fewer than two, zeros."""
    if len(times) < 2:  # noqa: PLR2004 - quantiles need two
        return 0.0, 0.0
    return statistics.median(times), statistics.quantiles(times, n=20)[18]


def _summary(crowd: Crowd) -> dict[str, object]:
    return {
        "seconds": crowd.seconds,
        "statuses": dict(crowd.statuses),
        "milliseconds": {name: spread(taken) for name, taken in crowd.latencies.items()},
        "memory_mb": crowd.memory,
    }


if __name__ == "__main__":
    main()
