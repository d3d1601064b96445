"""How fast jobs start and stop, and what a stack costs that idles: ours beside what people use.

The same trivial job with torch imported runs on Framegate, on Ray Jobs, and on Dagster as it
comes, one stack after the other, each in a folder of its own, on this machine alone. It takes
about ten minutes. `make bench-launch` installs what it needs.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path

import httpx
from rich.console import Console

from benchmarks.idle import measure_idle
from benchmarks.launch_goals import judge
from benchmarks.launch_measurements import (
    Cancellation,
    measure_burst,
    measure_cancellation,
    measure_kill,
    measure_starts,
)
from benchmarks.launch_report import Report
from benchmarks.launch_tables import tables
from benchmarks.peers.framegate import framegate_stack
from benchmarks.peers.ray import ray_stack
from benchmarks.peers.stack import Stack
from benchmarks.peers.stock_dagster import dagster_stack

_TRIVIAL = Path(__file__).parent / "peers" / "trivial"
_SETTLE_SECONDS = 10.0
_IDLE_SECONDS = 30.0


@dataclass(frozen=True)
class Plan:
    """A stack, and how often it is asked; `burst` is a number of jobs, 0 for no burst."""

    name: str
    start: Callable[[Path, Path], AbstractContextManager[Stack]]
    starts: int
    burst: int
    listening: int
    swallowing: int
    kills: int = 0
    cancel_seconds: float = 20.0
    idles: bool = True


PLANS = (
    Plan("Framegate", framegate_stack, starts=15, burst=30, listening=10, swallowing=3, kills=10),
    Plan("Ray Jobs", ray_stack, starts=10, burst=30, listening=10, swallowing=3),
    Plan("Dagster", dagster_stack, starts=5, burst=30, listening=3, swallowing=1),
    Plan(
        "Dagster, dequeue 1 s",
        partial(dagster_stack, dequeue_interval=1),
        starts=6,
        burst=0,
        listening=0,
        swallowing=0,
        idles=False,
    ),
)


def main(arguments: Sequence[str] | None = None) -> None:
    options = _parse(arguments)
    plans = [plan for plan in PLANS if not options.only or plan.name in options.only]
    console = Console()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        packages = _install(Path(folder) / "packages")
        reports = [_measure(plan, Path(folder), packages, console) for plan in plans]
    goals = judge({report.name: report for report in reports})
    for table in tables(reports, goals):
        console.print(table)
    if options.json:
        results = {
            "machine": _machine(),
            "stacks": [asdict(report) for report in reports],
            "goals": [asdict(goal) | {"met": goal.met, "ratio": goal.ratio} for goal in goals],
        }
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(results, indent=1) + "\n")


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.launch", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    parser.add_argument(
        "--only", action="append", choices=[plan.name for plan in PLANS], help="of the stacks"
    )
    return parser.parse_args(arguments)


def _install(folder: Path) -> Path:
    """As a third party's package would be; every stack finds the job there."""
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--disable-pip-version-check", "--target", str(folder)),
            str(_TRIVIAL),
        ],
        check=True,
    )
    return folder


def _measure(plan: Plan, folder: Path, packages: Path, console: Console) -> Report:
    """A stack that does not start, or breaks, says why in its report; the others go on."""
    report = Report(plan.name)
    home = Path(tempfile.mkdtemp(dir=folder))
    try:
        with plan.start(home, packages) as stack:
            for step in _steps(plan, stack, home, report):
                load = os.getloadavg()[0]
                report.load.append(load)
                console.log(f"{plan.name}: {step} (load {load:.1f})")
    except (OSError, RuntimeError, httpx.HTTPError) as error:
        report.problem = f"{type(error).__name__}: {error}"
        console.log(f"{plan.name}: {report.problem}")
    return report


def _steps(plan: Plan, stack: Stack, folder: Path, report: Report) -> Iterator[str]:
    """Measures into `report`; before each step, says which it is."""
    if plan.idles:
        yield "idle"
        measure_starts(stack, folder, 0)  # whatever only comes with the first job has come
        time.sleep(_SETTLE_SECONDS)
        report.idle = measure_idle(stack.processes, _IDLE_SECONDS)
    yield "starts"
    report.starts = measure_starts(stack, folder, plan.starts)
    if plan.burst:
        yield f"{plan.burst} at once"
        report.burst = measure_burst(stack, folder, plan.burst)
    yield "cancellations"
    report.listening = _cancellations(plan, stack, folder, "listen", plan.listening)
    report.swallowing = _cancellations(plan, stack, folder, "swallow", plan.swallowing)
    if plan.kills:
        yield "kills"
        report.kills = [measure_kill(stack, folder, plan.cancel_seconds) for _ in range(plan.kills)]


def _cancellations(
    plan: Plan, stack: Stack, folder: Path, behaviour: str, count: int
) -> list[Cancellation]:
    return [
        measure_cancellation(stack, folder, behaviour, plan.cancel_seconds) for _ in range(count)
    ]


def _machine() -> dict[str, object]:
    return {
        "cores": len(os.sched_getaffinity(0)),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("dagster", "torch")},
    }


if __name__ == "__main__":
    main()
