"""What a scrape of `/metrics` costs beside a call of health, with 10,000 finished runs in storage.

A scrape that looks at Dagster comes first, then one that tells what is known already. Counted are
milliseconds to the answer, and seconds of a core in API and webserver, which other programs on the
machine do not disturb.
"""

import argparse
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.jobs_api import HISTORY
from benchmarks.running_stack import RunningStack, running_stack

#: Longer than a look is trusted.
_PAUSE_SECONDS = 4.5
_WARM_UP = 2


@dataclass(frozen=True)
class Row:
    """Of one call; `milliseconds_of_a_core` are those of API and webserver together."""

    name: str
    milliseconds: float
    milliseconds_of_a_core: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scrapes", description=__doc__)
    parser.add_argument("--scrapes", type=int, default=20)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args(arguments)
    with running_stack(HISTORY) as stack:
        rows = measure(stack, options.scrapes)
    show(rows)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")


def measure(stack: RunningStack, count: int) -> list[Row]:
    calls = {
        "GET /metrics, looking": "/metrics",
        "GET /metrics, within 4 s": "/metrics",
        "GET /api/v1/health": "/api/v1/health",
    }
    processes = [stack.api, _webserver(stack.api)]
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in calls}
    for number in range(_WARM_UP + count):
        time.sleep(_PAUSE_SECONDS)
        for name, path in calls.items():
            busy, started = _busy(processes), time.perf_counter()
            stack.rest.get(path).raise_for_status()
            elapsed = time.perf_counter() - started
            time.sleep(0.1)  # what goes on after the answer is counted as well
            if number >= _WARM_UP:
                taken[name].append((elapsed, _busy(processes) - busy))
    return [
        Row(
            name,
            1000 * statistics.median(elapsed for elapsed, _ in each),
            1000 * statistics.fmean(busy for _, busy in each),
        )
        for name, each in taken.items()
    ]


def show(rows: Sequence[Row]) -> None:
    base = rows[-1].milliseconds
    table = Table("call", "median ms", "beside health", "ms of a core, mean")
    for row in rows:
        ratio = f"{row.milliseconds / base:.1f}x"
        table.add_row(
            row.name, f"{row.milliseconds:.1f}", ratio, f"{row.milliseconds_of_a_core:.1f}"
        )
    Console().print(table)


def _webserver(api: psutil.Process) -> psutil.Process:
    """The part beside the API whose name says so."""
    stack = api.parents()[1]
    [webserver] = [
        process
        for process in stack.children(recursive=True)
        if "orchestration.webserver" in process.cmdline()[1:4]
    ]
    return webserver


def _busy(processes: Sequence[psutil.Process]) -> float:
    times = [process.cpu_times() for process in processes]
    return sum(each.user + each.system for each in times)


if __name__ == "__main__":
    main()
