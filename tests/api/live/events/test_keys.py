"""An event stream lives as long as the key that opened it."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from api.auth.keys import create_key
from api.auth.roles import Role
from api.database.database import ApiKey
from api.dependencies import Services
from api.errors import DatabaseUnavailableError, UnauthorizedError
from api.events.event import Event
from api.events.hub import Hub, Subscription
from api.events.stream import EventStream
from api.settings import Settings
from tests.api.live.events.stream import PATIENCE, STREAM, eventually, listening

pytestmark = pytest.mark.anyio


async def test_a_browser_may_give_its_key_in_the_address(
    quick: Callable[..., Services], serve: Callable[..., Any], settings: Settings
) -> None:
    services = quick(settings=settings.model_copy(update={"auth": "on"}))
    async with serve(services) as client:
        _record, key = create_key(services.database, role=Role.READER, name="viewer")
        assert (await client.get(STREAM)).status_code == 401
        async with listening(client, f"{STREAM}?token={key}") as stream:
            assert stream.answer.status_code == 200


async def test_a_key_has_its_share_of_streams_and_others_have_theirs(
    quick: Callable[..., Services], serve: Callable[..., Any], settings: Settings
) -> None:
    services = quick(settings=settings.model_copy(update={"auth": "on"}))
    hub = Hub(services.events.watcher, streams_per_key=2)
    async with serve(replace(services, events=hub)) as client:
        greedy, other = (
            create_key(services.database, role=Role.READER, name=name)[1]
            for name in ("greedy", "other")
        )
        async with AsyncExitStack() as streams:
            for _ in range(2):
                await streams.enter_async_context(listening(client, f"{STREAM}?token={greedy}"))
            refused = await client.get(f"{STREAM}?token={greedy}")
            assert refused.status_code == 429
            assert refused.json()["error"]["code"] == "RATE_LIMITED"
            assert int(refused.headers["Retry-After"]) > 0
            await streams.enter_async_context(listening(client, f"{STREAM}?token={other}"))
        await eventually(lambda: hub.listeners == 0)
        async with listening(client, f"{STREAM}?token={greedy}") as stream:
            assert stream.answer.status_code == 200


@pytest.mark.parametrize("end", ["revoked_at", "expires_at"])
async def test_a_busy_stream_ends_with_the_key_that_opened_it(
    quick: Callable[..., Services], serve: Callable[..., Any], settings: Settings, end: str
) -> None:
    services = quick(settings=settings.model_copy(update={"auth": "on"}))
    async with serve(services) as client:
        record, key = create_key(services.database, role=Role.READER, name="viewer")
        async with listening(client, f"{STREAM}?token={key}") as stream:
            busy = asyncio.create_task(_keep_busy(services.events))
            await stream.next()
            with services.database.write() as session:
                setattr(session.get_one(ApiKey, record.id), end, record.created_at)
            assert await stream.rest()
            busy.cancel()
        assert (await client.get(f"{STREAM}?token={key}")).status_code == 401


async def test_a_stream_outlives_a_database_that_cannot_be_asked_about_its_key() -> None:
    asked = 0

    async def ask() -> None:
        nonlocal asked
        asked += 1
        raise DatabaseUnavailableError("Away.") if asked < 3 else UnauthorizedError("Revoked.")

    hub = Hub(watcher=None, streams_per_key=1)  # type: ignore[arg-type]  # nothing is looked at here
    stream = EventStream(Subscription(hub, "somebody", None), [], ask, authenticate_seconds=0.01)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    async with asyncio.timeout(PATIENCE):
        await stream({"type": "http"}, receive, send)
    assert asked == 3
    assert sent[-1] == {"type": "http.response.body", "body": b"", "more_body": False}


async def _keep_busy(hub: Hub) -> None:
    for moment in count(1):
        hub._publish([Event(moment, "7c9e6679-7425-40de-944b-e07fc1f90ae7", "job.update", "{}")])
        await asyncio.sleep(0.02)
