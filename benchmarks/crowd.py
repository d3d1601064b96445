"""Sixty-four clients that do everything at once, and what it costs the process that serves them."""

import asyncio
import random
import statistics
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import httpx
import psutil

from benchmarks.history import PIPELINE
from benchmarks.running_stack import RunningStack

CLIENTS = 64
_MEGABYTE = 1000**2
_LOOK_SECONDS = 1.0
#: How often each thing is done: much looking, little submitting, as people do.
_SHARES: Mapping[str, int] = {
    "job": 40,
    "list": 15,
    "validate": 20,
    "health": 10,
    "pipelines": 10,
    "missing": 4,
    "submit": 1,
}


@dataclass
class Crowd:
    """`latencies` are milliseconds by what was done; `memory` is megabytes of resident memory of
    the API, second by second.
    """

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: dict[str, list[float]] = field(
        default_factory=lambda: {name: [] for name in _SHARES}
    )
    memory: list[float] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return self.statuses.total()

    @property
    def server_errors(self) -> int:
        return sum(n for status, n in self.statuses.items() if status >= HTTPStatus(500))

    @property
    def growth(self) -> float:
        """Of the memory, from the first third of the time (warming up) to the last moments."""
        warm = self.memory[len(self.memory) // 3]
        return statistics.median(self.memory[-5:]) / warm - 1


async def run_crowd(stack: RunningStack, seconds: float) -> Crowd:
    job = stack.submit()
    stack.wait(job)
    crowd = Crowd(seconds)
    until = time.monotonic() + seconds
    headers = {"X-API-Key": stack.rest.headers["X-API-Key"]}
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_watch(stack.api, crowd, until))
        for number in range(CLIENTS):
            client = httpx.AsyncClient(
                base_url=stack.rest.base_url, headers=headers, timeout=60.0, trust_env=False
            )
            dice = random.Random(number)  # noqa: S311 - repeatable, not secret
            tasks.create_task(
                _act(client, dice, job=job, submission=stack.submission, crowd=crowd, until=until)
            )
    return crowd


async def _act(
    client: httpx.AsyncClient,
    dice: random.Random,
    *,
    job: str,
    submission: Mapping[str, object],
    crowd: Crowd,
    until: float,
) -> None:
    requests = {
        "job": client.build_request("GET", f"/api/v1/jobs/{job}"),
        "list": client.build_request("GET", "/api/v1/jobs"),
        "validate": client.build_request(
            "POST", "/api/v1/pipelines/validate", json={"pipeline": PIPELINE, "config": {}}
        ),
        "health": client.build_request("GET", "/api/v1/health"),
        "pipelines": client.build_request("GET", "/api/v1/pipelines"),
        "missing": client.build_request("GET", "/api/v1/jobs/nowhere"),
        "submit": client.build_request("POST", "/api/v1/jobs", json=submission),
    }
    async with client:
        while time.monotonic() < until:
            [name] = dice.choices(list(_SHARES), list(_SHARES.values()))
            started = time.perf_counter()
            answer = await client.send(requests[name])
            crowd.latencies[name].append(1000 * (time.perf_counter() - started))
            crowd.statuses[answer.status_code] += 1


async def _watch(process: psutil.Process, crowd: Crowd, until: float) -> None:
    while time.monotonic() < until:
        crowd.memory.append(process.memory_info().rss / _MEGABYTE)
        await asyncio.sleep(_LOOK_SECONDS)
