"""Who listens to events: what they cost, what they outlive, and how they are let go."""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from dagster import DagsterInstance, DagsterRun

from api.dependencies import Services
from api.events.event import Event
from api.events.hub import Hub, Subscription
from api.events.stream import EventStream
from tests.api.live.events.stream import PATIENCE, STREAM, eventually, listening

pytestmark = pytest.mark.anyio


async def test_dagster_is_asked_once_for_all_who_listen_and_not_at_all_when_nobody_does(
    services_with: Callable[..., Services], serve: Callable[..., Any], wire: Any
) -> None:
    services = services_with()
    services = replace(services, events=Hub(services.events.watcher, 200, interval=0.2))
    async with serve(services) as client:
        answers = [await client.send(_request(client), stream=True) for _ in range(200)]
        asked = wire.questions
        await asyncio.sleep(1.0)
        assert 1 <= wire.questions - asked <= 6
        for answer in answers:
            await answer.aclose()
        await eventually(lambda: services.events.listeners == 0)
        await asyncio.sleep(0.5)
        asked = wire.questions
        await asyncio.sleep(1.0)
        assert wire.questions == asked


async def test_streams_outlive_an_outage_of_dagster(
    client: httpx.AsyncClient,
    instance: DagsterInstance,
    add_run: Callable[..., DagsterRun],
    wire: Any,
) -> None:
    run = add_run()
    async with listening(client) as stream:
        wire.is_cut = True
        instance.report_run_canceled(run)
        asked = wire.questions
        await eventually(lambda: wire.questions > asked + 2)
        wire.is_cut = False
        event = await stream.next()
    assert event.data["job_id"] == run.run_id


async def test_a_stream_cannot_begin_while_dagster_is_away(
    client: httpx.AsyncClient, wire: Any
) -> None:
    wire.is_cut = True
    answer = await client.get(STREAM)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["error"]["code"] == "ORCHESTRATOR_UNAVAILABLE"


@pytest.mark.parametrize("job_id", ["7c9e6679-7425-40de-944b-e07fc1f90ae7", "nope"])
async def test_an_unknown_job_is_404_and_nobody_listens(
    quick: Callable[..., Services], serve: Callable[..., Any], job_id: str
) -> None:
    services = quick()
    async with serve(services) as client:
        for address in (f"/api/v1/jobs/{job_id}/events", f"{STREAM}?job_id={job_id}"):
            answer = await client.get(address)
            assert answer.status_code == 404
            assert answer.json()["error"]["code"] == "JOB_NOT_FOUND"
        assert services.events.listeners == 0


async def test_who_hangs_up_is_forgotten(
    quick: Callable[..., Services], serve: Callable[..., Any]
) -> None:
    services = quick()
    async with serve(services) as client:
        async with listening(client):
            await eventually(lambda: services.events.listeners == 1)
        await eventually(lambda: services.events.listeners == 0)


async def test_who_never_reads_is_dropped(
    quick: Callable[..., Services], serve: Callable[..., Any]
) -> None:
    services = quick()
    async with serve(services) as client:
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", client.base_url.port))
            deaf.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            await eventually(lambda: services.events.listeners == 1)
            large = Event(1, "7c9e6679-7425-40de-944b-e07fc1f90ae7", "job.update", "x" * 50_000)
            async with asyncio.timeout(PATIENCE):
                while services.events.listeners:
                    services.events._publish([large])
                    await asyncio.sleep(0)


async def test_silence_is_broken_by_heartbeats() -> None:
    hub = Hub(watcher=None, streams_per_key=1)  # type: ignore[arg-type]  # nothing is looked at here
    stream = EventStream(
        Subscription(hub, "somebody", None), [], _still_good, heartbeat_seconds=0.01
    )
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    async def receive() -> Any:
        await eventually(lambda: sent.count(b": alive\n\n") >= 3)
        return {"type": "http.disconnect"}

    await stream({"type": "http"}, receive, send)
    assert sent[1].startswith(b"retry: ")


async def _still_good() -> None:
    return None


def _request(client: httpx.AsyncClient) -> httpx.Request:
    return client.build_request("GET", STREAM)
