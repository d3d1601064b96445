"""Event streams over real HTTP: what changes in Dagster arrives, once, and can be resumed."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import httpx
import pytest
import uvicorn
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from api.app import create_app
from api.auth.keys import create_key
from api.auth.roles import Role
from api.database import ApiKey
from api.dependencies import Services
from api.errors import DatabaseUnavailableError, UnauthorizedError
from api.events.event import Event
from api.events.hub import Hub, Subscription
from api.events.stream import EventStream
from api.events.watcher import Watcher
from api.settings import Settings

pytestmark = pytest.mark.anyio

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


@pytest.fixture
def quick(services_with: Callable[..., Services], settings: Settings) -> Callable[..., Services]:
    """Services that look at Dagster twenty times a second."""

    def build(**others: Any) -> Services:
        services = services_with(**others)
        watcher = Watcher(services.dagster, services.home, settings.run_url)
        return replace(services, events=Hub(watcher, interval=0.05))

    return build


@pytest.fixture
def serve() -> Callable[[Services], AbstractAsyncContextManager[httpx.AsyncClient]]:
    """A client of the app, served on a port of its own."""

    @asynccontextmanager
    async def served(services: Services) -> AsyncIterator[httpx.AsyncClient]:
        app = create_app(services=services)
        config = uvicorn.Config(
            app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        running = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110 - the server offers no event
            await asyncio.sleep(0.01)
        port = server.servers[0].sockets[0].getsockname()[1]
        address = f"http://127.0.0.1:{port}"
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE, limits=limits) as client:
            yield client
        server.should_exit = True
        await running

    return served


@pytest.fixture
async def client(
    quick: Callable[..., Services],
    serve: Callable[[Services], AbstractAsyncContextManager[httpx.AsyncClient]],
) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(quick()) as client:
        yield client


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 - of parts that do not know they are watched
            await asyncio.sleep(0.01)


async def test_a_change_in_dagster_arrives_with_an_id_a_name_and_the_whole_state(
    client: httpx.AsyncClient, instance: DagsterInstance, add_run: Callable[..., DagsterRun]
) -> None:
    run = add_run()
    async with listening(client) as stream:
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        instance.report_run_canceled(run)
        event = await stream.next()
    assert event.name == "job.cancelled"
    assert event.data["job_id"] == run.run_id
    assert event.data["status"] == "cancelled"
    assert event.data["cancelled_at"]
    assert event.id.endswith(run.run_id)


async def test_a_new_job_and_its_failure_are_told_in_order(
    client: httpx.AsyncClient, instance: DagsterInstance, add_run: Callable[..., DagsterRun]
) -> None:
    async with listening(client) as stream:
        run = add_run(status=DagsterRunStatus.NOT_STARTED)
        queued = await stream.next()
        instance.report_run_failed(run)
        failed = await stream.next()
    assert (queued.name, queued.data["status"]) == ("job.update", "pending")
    assert (failed.name, failed.data["status"]) == ("job.error", "failed")
    assert failed.data["error_message"]
    assert moment(queued) < moment(failed)


async def test_a_jobs_stream_begins_with_its_state_ends_with_its_end_and_stays_ended(
    client: httpx.AsyncClient, instance: DagsterInstance, add_run: Callable[..., DagsterRun]
) -> None:
    run, other = add_run(), add_run()
    address = f"/api/v1/jobs/{run.run_id}/events"
    async with listening(client, address) as stream:
        state = await stream.next()
        instance.report_run_canceled(other)
        instance.report_run_canceled(run)
        (end,) = await stream.rest()
    assert (state.name, end.name) == ("job.update", "job.cancelled")
    assert {state.data["job_id"], end.data["job_id"]} == {run.run_id}
    again = await client.get(address, headers={"Last-Event-ID": end.id})
    assert again.status_code == 204
    late = await client.get(address)
    assert late.text.count("event: job.cancelled") == 1


async def test_progress_is_told_as_it_moves(
    client: httpx.AsyncClient, settings: Settings, add_run: Callable[..., DagsterRun]
) -> None:
    run = add_run()
    progress = settings.paths.progress(run.run_id)
    progress.parent.mkdir(parents=True)
    async with listening(client, f"/api/v1/jobs/{run.run_id}/events") as stream:
        await stream.next()
        for fraction in (0.25, 0.5):
            progress.write_text(json.dumps({"scene_detection": fraction}))
            event = await stream.next()
            assert event.data["progress"] == {"scene_detection": fraction}


async def test_resuming_tells_what_was_missed_and_nothing_twice(
    client: httpx.AsyncClient, instance: DagsterInstance, add_run: Callable[..., DagsterRun]
) -> None:
    runs = [add_run() for _ in range(4)]
    async with listening(client) as keeper:
        async with listening(client) as stream:
            instance.report_run_canceled(runs[0])
            seen = await stream.next()
        for run in runs[1:]:
            instance.report_run_canceled(run)
        for _ in runs:
            await keeper.next()
        async with listening(client, last=seen.id) as stream:
            missed = [await stream.next() for _ in runs[1:]]
            late = add_run()
            new = await stream.next()
    assert [event.data["job_id"] for event in missed] == [run.run_id for run in runs[1:]]
    assert new.data["job_id"] == late.run_id
    moments = [moment(event) for event in [seen, *missed, new]]
    assert moments == sorted(set(moments))


async def test_ids_mean_the_same_after_a_restart(
    quick: Callable[..., Services],
    serve: Callable[..., Any],
    instance: DagsterInstance,
    add_run: Callable[..., DagsterRun],
) -> None:
    before, during = add_run(), add_run()
    async with serve(quick()) as client, listening(client) as stream:
        instance.report_run_canceled(before)
        seen = await stream.next()
    instance.report_run_failed(during)
    async with serve(quick()) as client, listening(client, last=seen.id) as stream:
        event = await stream.next()
        while event.data["job_id"] != during.run_id:
            event = await stream.next()
    assert event.name == "job.error"


@pytest.mark.parametrize("last", ["", "x", "1" * 400, "-1", "12-not-a-run", "٣-x"])
async def test_an_id_that_is_not_ours_is_no_id(
    client: httpx.AsyncClient, add_run: Callable[..., DagsterRun], last: str
) -> None:
    run = add_run()
    address = f"/api/v1/jobs/{run.run_id}/events"
    headers = {b"Last-Event-ID": last.encode()}
    async with client.stream("GET", address, headers=headers) as answer:
        event = await Stream(answer).next()
    assert event.data["job_id"] == run.run_id


async def test_dagster_is_asked_once_for_all_who_listen_and_not_at_all_when_nobody_does(
    services_with: Callable[..., Services], serve: Callable[..., Any], wire: Any
) -> None:
    services = services_with()
    services = replace(services, events=Hub(services.events.watcher, interval=0.2))
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


async def test_a_browser_may_give_its_key_in_the_address(
    quick: Callable[..., Services], serve: Callable[..., Any], settings: Settings
) -> None:
    services = quick(settings=settings.model_copy(update={"auth": "on"}))
    async with serve(services) as client:
        _record, key = create_key(services.database, role=Role.READER, name="viewer")
        assert (await client.get(STREAM)).status_code == 401
        async with listening(client, f"{STREAM}?token={key}") as stream:
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

    hub = Hub(watcher=None)  # type: ignore[arg-type]  # nothing is looked at here
    stream = EventStream(Subscription(hub, None), [], ask, authenticate_seconds=0.01)
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
    hub = Hub(watcher=None)  # type: ignore[arg-type]  # nothing is looked at here
    stream = EventStream(Subscription(hub, None), [], _still_good, heartbeat_seconds=0.01)
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


def moment(event: Told) -> int:
    return int(event.id.split("-")[0])
