"""What a long past costs: a stack on PostgreSQL with 100,000 finished runs, beside an empty one.

Both stacks run at once and are asked in turn, so that whatever else the machine does meets both.
The runs are copies of a real one with all of its events. It takes about ten minutes and 5 GB.
"""

import argparse
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine, create_engine, text

from benchmarks.copies import copy_run
from benchmarks.history import PIPELINE
from benchmarks.idle import Part, measure_idle
from benchmarks.jobs_api import spread, timed
from benchmarks.running_stack import RunningStack, running_stack
from contracts.database import parse_url
from pipelines.sample import build_sample
from tests.postgresql import PostgresServer

RUNS = 100_000
_WARM_UP = 3
_DEEP_PAGE = 100
_PATHS = ("/api/v1/health?detailed=true", "/api/v1/system/health", "/metrics")


@dataclass(frozen=True)
class Row:
    """Milliseconds; medians and 95th percentiles of the empty and of the full stack."""

    name: str
    empty: tuple[float, float]
    full: tuple[float, float]

    @property
    def ratio(self) -> float:
        return self.full[0] / self.empty[0]


@dataclass(frozen=True)
class Growth:
    """What one job of `pipelines` leaves in the database."""

    pipelines: str
    events: int
    event_bytes: int


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="finished ones of the full stack")
    parser.add_argument("--requests", type=int, default=60, help="of each kind to each stack")
    parser.add_argument("--idle-seconds", type=float, default=60.0)
    parser.add_argument("--json", type=Path, help="also write the numbers to this file")
    options = parser.parse_args(arguments)
    with database() as empty_url, database() as full_url:
        with _stack(empty_url) as empty, _stack(full_url) as full:
            growth = measure_growth(full, full_url)
            _fill(full, full_url, options.runs)
            rows = compare(empty, full, options.requests)
            idle = measure_load(empty, full, options.idle_seconds)
        size = _size(full_url)
    show(rows, growth, idle, options.runs, size)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        results = {
            "runs": options.runs,
            "database_bytes": size,
            "rows": [asdict(row) | {"ratio": row.ratio} for row in rows],
            "growth": [asdict(each) for each in growth],
            "idle": [[asdict(part) for part in parts] for parts in idle],
        }
        options.json.write_text(json.dumps(results, indent=1) + "\n")


@contextmanager
def database() -> Iterator[str]:
    """The URL of an empty database in a server of its own."""
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)  # the server may run as another user
        server = PostgresServer(Path(folder) / "server")
        server.initialise()
        server.start()
        try:
            yield server.databases.create()
        finally:
            server.stop()


def measure_growth(stack: RunningStack, url: str) -> list[Growth]:
    """By the events of one job each."""
    with tempfile.TemporaryDirectory() as folder:
        sample = stack.store(build_sample(Path(folder) / "sample.mp4"))
    jobs = {
        f"{PIPELINE} on a silence": stack.submission,
        "every pipeline on the sample": {"media": sample},
    }
    return [_growth_of(name, stack, submission, url) for name, submission in jobs.items()]


def compare(empty: RunningStack, full: RunningStack, count: int) -> list[Row]:
    lists: dict[str, dict[str, int | str]] = {
        "the newest 50": {},
        "50 failed ones (there are none)": {"status": "failed"},
        "50 of one pipeline": {"pipeline": PIPELINE},
        f"page {_DEEP_PAGE} of 50": {"page": _DEEP_PAGE},
    }
    calls: dict[str, Callable[[RunningStack], float]] = {
        "POST /api/v1/jobs": _submit,
        "POST /api/v1/jobs/{id}/cancel": _cancel,
        "GET /api/v1/jobs/{id}": _look,
        **{f"GET /api/v1/jobs, {name}": _list(query) for name, query in lists.items()},
        **{f"GET {path}": _get(path) for path in _PATHS},
    }
    return [_compare(name, call, empty, full, count) for name, call in calls.items()]


def measure_load(
    empty: RunningStack, full: RunningStack, seconds: float
) -> tuple[list[Part], list[Part]]:
    """What the processes of both use at the same time while nobody asks for anything."""
    with ThreadPoolExecutor(2) as threads:
        one, other = (
            threads.submit(measure_idle, stack.processes, seconds) for stack in (empty, full)
        )
        return one.result(), other.result()


def show(
    rows: Sequence[Row],
    growth: Sequence[Growth],
    idle: tuple[Sequence[Part], Sequence[Part]],
    runs: int,
    size: int,
) -> None:
    calls = Table("call", "empty ms", "p95", f"{runs:,} runs ms", "p95", "ratio")
    for row in rows:
        numbers = [f"{value:.1f}" for value in (*row.empty, *row.full)]
        calls.add_row(row.name, *numbers, f"{row.ratio:.2f}x")
    events = Table("one job", "events", "kB of events")
    for each in growth:
        events.add_row(each.pipelines, str(each.events), f"{each.event_bytes / 1000:.1f}")
    parts = Table("idle", "empty", f"{runs:,} runs")
    shares = [{part.name: part.share for part in side} for side in idle]
    for name in shares[0] | shares[1]:
        parts.add_row(name, *(f"{side.get(name, 0):.2%}" for side in shares))
    parts.add_row("together", *(f"{sum(side.values()):.2%}" for side in shares))
    console = Console()
    for table in (calls, events, parts):
        console.print(table)
    console.print(f"The database with {runs:,} runs takes {size / 1e9:.2f} GB.")


def _stack(url: str) -> AbstractContextManager[RunningStack]:
    return running_stack(settings={"FRAMEGATE_DATABASE_URL": url})


def _fill(stack: RunningStack, url: str, count: int) -> None:
    job = stack.submit()
    stack.wait(job)
    with _engine(url) as engine:
        copy_run(engine, job, stack.media, count)


def _growth_of(name: str, stack: RunningStack, submission: Mapping[str, Any], url: str) -> Growth:
    job = stack.submit(submission)
    stack.wait(job)
    question = text("SELECT count(*), sum(length(event)) FROM event_logs WHERE run_id = :job")
    with _engine(url) as engine, engine.connect() as connection:
        events, size = connection.execute(question, {"job": job}).one()
    return Growth(name, events, size)


def _compare(
    name: str,
    call: Callable[[RunningStack], float],
    empty: RunningStack,
    full: RunningStack,
    count: int,
) -> Row:
    """The two are asked in turn."""
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_WARM_UP + count):
        for stack, taken in zip((empty, full), times, strict=True):
            taken.append(call(stack))
    one, other = (spread(taken[_WARM_UP:]) for taken in times)
    return Row(name, one, other)


def _submit(stack: RunningStack) -> float:
    job, taken = timed(stack.submit)
    stack.wait(job)
    return taken


def _cancel(stack: RunningStack) -> float:
    job = stack.submit()
    return timed(lambda: stack.cancel(job))[1]


def _look(stack: RunningStack) -> float:
    [job] = stack.list_jobs(per_page=1)["jobs"]
    return timed(lambda: stack.look(job["id"]))[1]


def _list(query: Mapping[str, int | str]) -> Callable[[RunningStack], float]:
    return lambda stack: timed(lambda: stack.list_jobs(per_page=50, **query))[1]


def _get(path: str) -> Callable[[RunningStack], float]:
    return lambda stack: timed(lambda: stack.get(path))[1]


def _size(url: str) -> int:
    with _engine(url) as engine, engine.connect() as connection:
        size: int = connection.execute(
            text("SELECT pg_database_size(current_database())")
        ).scalar_one()
        return size


@contextmanager
def _engine(url: str) -> Iterator[Engine]:
    engine = create_engine(parse_url(url))
    try:
        yield engine
    finally:
        engine.dispose()


if __name__ == "__main__":
    main()
