"""How much slower than a bare FastAPI app do health and validation answer, and how long do bodies
keep them busy that mean no good?

Both run as they would in earnest, each in a process of its own under uvicorn on loopback. Requests
go to them in turn over one kept connection each, so that whatever else the machine does meets both.
"""

import argparse
import http.client
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path

from rich.console import Console
from rich.table import Table

from api.auth.keys import create_key
from api.auth.roles import Role
from api.database.database import open_database
from api.settings import Settings
from benchmarks.hostile_bodies import hostile_bodies

PROJECT = Path(__file__).parents[1]
CONFIG = {"threshold": 0.6, "sample_rate": 5.0, "batch_size": 16, "device": "auto"}
VALIDATION = json.dumps({"pipeline": "face_detection", "config": CONFIG}).encode()
WARM_UP = 200
#: A verdict never takes longer, whatever is posted.
HOSTILE_MILLISECONDS = 200


@dataclass(frozen=True)
class Call:
    """One kind of request to one server."""

    name: str
    port: int
    method: str
    path: str
    body: bytes | None = None
    headers: Mapping[str, str] | None = None
    statuses: tuple[int, ...] = (HTTPStatus.OK,)


@dataclass(frozen=True)
class Row:
    """Milliseconds; `ratio` is to the bare app's median."""

    name: str
    median: float
    p99: float
    ratio: float
    limit: float | None


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3000, help="of each kind")
    parser.add_argument("--hostile-requests", type=int, default=20, help="of each hostile body")
    parser.add_argument("--json", type=Path, help="also write the rows to this file")
    arguments = parser.parse_args(argv)
    with ExitStack() as stack:
        bare = stack.enter_context(serve_bare())
        port, key = stack.enter_context(serve_framegate())
        rows = compare(bare, port, key, arguments.requests)
        rows += bear(bare, port, key, arguments.hostile_requests)
    show(rows)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def compare(bare: int, port: int, key: str, requests: int) -> list[Row]:
    json_type = {"Content-Type": "application/json"}
    keyed = json_type | {"X-API-Key": key}
    gets = [
        Call("bare GET", bare, "GET", "/"),
        Call("GET /api/v1/health", port, "GET", "/api/v1/health"),
    ]
    posts = [
        Call("bare POST", bare, "POST", "/", VALIDATION, json_type),
        Call(
            "POST /api/v1/pipelines/validate",
            port,
            "POST",
            "/api/v1/pipelines/validate",
            VALIDATION,
            keyed,
        ),
    ]
    return [*rows_of(gets, requests, limit=1.3), *rows_of(posts, requests, limit=1.5)]


def bear(bare: int, port: int, key: str, requests: int) -> Iterator[Row]:
    """Of hostile bodies, one after the other: a server closes connections that wait for long. Each
    is compared with a small body to the bare app, and HOSTILE_MILLISECONDS are its limit.
    """
    json_type = {"Content-Type": "application/json"}
    small = Call("bare POST", bare, "POST", "/", VALIDATION, json_type)
    base = statistics.median(*measure([small], requests))
    keyed, told = json_type | {"X-API-Key": key}, (HTTPStatus.OK, HTTPStatus.BAD_REQUEST)
    for body in hostile_bodies():
        call = Call(body.name, port, "POST", body.path, body.content, keyed, told)
        times = measure([call], requests, warm_up=1)
        yield from rows_from([call], times, base, limit=HOSTILE_MILLISECONDS / base)


def rows_of(calls: Sequence[Call], requests: int, *, limit: float) -> list[Row]:
    """The first call is what the others are compared with."""
    first, *others = calls
    times = measure(calls, requests)
    base = statistics.median(times[0])
    return [
        *rows_from([first], times[:1], base, limit=None),
        *rows_from(others, times[1:], base, limit=limit),
    ]


def rows_from(
    calls: Sequence[Call], times: Sequence[Sequence[float]], base: float, *, limit: float | None
) -> list[Row]:
    return [
        Row(
            name=call.name,
            median=statistics.median(taken),
            p99=statistics.quantiles(taken, n=100)[98],
            ratio=statistics.median(taken) / base,
            limit=limit,
        )
        for call, taken in zip(calls, times, strict=True)
    ]


def measure(calls: Sequence[Call], requests: int, warm_up: int = WARM_UP) -> list[list[float]]:
    """Milliseconds by call; the calls take turns."""
    connections = [connect(call.port) for call in calls]
    times: list[list[float]] = [[] for _ in calls]
    for index in range(warm_up + requests):
        for call, connection, taken in zip(calls, connections, times, strict=True):
            elapsed = ask(connection, call)
            if index >= warm_up:
                taken.append(elapsed)
    for connection in connections:
        connection.close()
    return times


def connect(port: int) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def ask(connection: http.client.HTTPConnection, call: Call) -> float:
    started = time.perf_counter()
    connection.request(call.method, call.path, call.body, dict(call.headers or {}))
    answer = connection.getresponse()
    answer.read()
    elapsed = 1000 * (time.perf_counter() - started)
    if answer.status not in call.statuses:
        raise SystemExit(f"{call.name} answers with {answer.status}")
    return elapsed


@contextmanager
def serve_bare() -> Iterator[int]:
    port = free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", "bare_app:app", "--port", str(port)),
        *("--no-access-log", "--log-level", "warning"),
    ]
    with running(command, port, cwd=Path(__file__).parent):
        yield port


@contextmanager
def serve_framegate() -> Iterator[tuple[int, str]]:
    """Its port, and a key. Dagster is not needed: neither call asks it anything."""
    with tempfile.TemporaryDirectory() as home:
        port = free_port()
        database = open_database(Settings(home=Path(home)).database)
        _record, key = create_key(database, role=Role.READER, name="benchmark")
        database.close()
        settings = {"FRAMEGATE_HOME": home, "FRAMEGATE_PORT": str(port)}
        with running([sys.executable, "-m", "api"], port, cwd=PROJECT, settings=settings):
            yield port, key


@contextmanager
def running(
    command: Sequence[str], port: int, *, cwd: Path, settings: Mapping[str, str] | None = None
) -> Iterator[None]:
    environment = {**os.environ, **(settings or {})}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stderr=log)
        try:
            wait_for(port, process)
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit("a server did not start")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def show(rows: Sequence[Row]) -> None:
    table = Table("call", "median ms", "p99 ms", "to bare", "at most")
    for row in rows:
        limit = f"{row.limit:.3g}x" if row.limit else ""
        table.add_row(row.name, f"{row.median:.3f}", f"{row.p99:.3f}", f"{row.ratio:.2f}x", limit)
    Console().print(table)


if __name__ == "__main__":
    main()
