"""An event stream as its clients read it, piece by piece."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

STREAM = "/api/v1/events/stream"
PATIENCE = 30.0


@dataclass(frozen=True)
class Told:
    """An event as a client reads it."""

    id: str
    name: str
    data: dict[str, Any]


async def events_of(answer: httpx.Response) -> AsyncIterator[Told]:
    lines: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            lines[name] = value
        elif not line and "data" in lines:
            yield Told(lines["id"], lines["event"], json.loads(lines["data"]))
            lines = {}


class Stream:
    """An open event stream that is read piece by piece."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self._events = events_of(answer)

    async def next(self) -> Told:
        async with asyncio.timeout(PATIENCE):
            return await anext(self._events)

    async def rest(self) -> list[Told]:
        async with asyncio.timeout(PATIENCE):
            return [event async for event in self._events]


@asynccontextmanager
async def listening(
    client: httpx.AsyncClient, address: str = STREAM, *, last: str | None = None
) -> AsyncIterator[Stream]:
    headers = {} if last is None else {"Last-Event-ID": last}
    async with client.stream("GET", address, headers=headers) as answer:
        assert answer.status_code == 200
        yield Stream(answer)


def moment(event: Told) -> int:
    return int(event.id.split("-")[0])


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - of parts that do not know they are watched
            await asyncio.sleep(0.01)
