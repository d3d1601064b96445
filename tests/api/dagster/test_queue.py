"""A long queue is not listed anew for everyone who looks at a job in it."""

import asyncio
from dataclasses import dataclass, field

import httpx
import pytest

from api.dagster.client import DagsterClient
from api.dagster.queue import CachedQueue
from api.dagster.run import QueuedRun
from api.dagster.transport import GraphqlTransport
from api.errors import OrchestratorUnavailableError

pytestmark = pytest.mark.anyio

NOWHERE = "http://127.0.0.1:9"


@dataclass
class SlowDagster(DagsterClient):
    """Lists its queue once it is `released`, and counts how often it was asked."""

    length: int
    released: asyncio.Event = field(default_factory=asyncio.Event)
    fails: bool = False
    asked: int = 0

    def __post_init__(self) -> None:
        super().__init__(
            GraphqlTransport(NOWHERE, timeout=1.0, transport=httpx.AsyncHTTPTransport())
        )

    async def queue(self) -> list[QueuedRun]:
        self.asked += 1
        await self.released.wait()
        if self.fails:
            raise OrchestratorUnavailableError("It is away.")
        return [QueuedRun(str(number), 0) for number in range(self.length)]


async def test_whoever_comes_while_the_queue_is_listed_shares_the_answer() -> None:
    dagster = SlowDagster(length=3)
    queue = CachedQueue(dagster)
    looks = [asyncio.create_task(queue.runs()) for _ in range(20)]
    await asyncio.sleep(0)
    dagster.released.set()
    assert [len(runs) for runs in await asyncio.gather(*looks)] == [3] * 20
    assert dagster.asked == 1


@pytest.mark.parametrize(("length", "asked"), [(3, 20), (100_000, 1)], ids=["short", "long"])
async def test_only_a_short_queue_is_listed_anew_for_each_look(length: int, asked: int) -> None:
    dagster = SlowDagster(length)
    dagster.released.set()
    queue = CachedQueue(dagster)
    for _ in range(20):
        assert len(await queue.runs()) == length
    assert dagster.asked == asked


async def test_who_leaves_takes_the_answer_from_nobody() -> None:
    dagster = SlowDagster(length=3)
    queue = CachedQueue(dagster)
    first, second = (asyncio.create_task(queue.runs()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.sleep(0)
    dagster.released.set()
    assert len(await second) == 3
    assert dagster.asked == 1


async def test_what_could_not_be_listed_is_asked_again() -> None:
    dagster = SlowDagster(length=3, fails=True)
    dagster.released.set()
    queue = CachedQueue(dagster)
    with pytest.raises(OrchestratorUnavailableError):
        await queue.runs()
    assert await queue.runs_if_known() is None
    dagster.fails = False
    assert len(await queue.runs()) == 3
