"""PostgreSQL goes away under the running stack, in order or not, or has no connection to spare."""

import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from dagster import RunsFilter
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from contracts.run import IDEMPOTENCY_KEY_TAG
from orchestration.launcher.instances import open_instance
from tests.postgresql import PostgresServer

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

JOBS = 20
KEYS = 8


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    """Nobody else's: it is stopped, crashed and started again."""
    folder = Path(tempfile.mkdtemp(prefix="framegate-faults-"))
    server = PostgresServer(folder)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def url(server: PostgresServer) -> str:
    return server.databases.create()


@pytest.fixture(scope="module")
def pg_stack(own_stack: Callable[..., Any], url: str) -> Iterator[Any]:
    with own_stack(FRAMEGATE_DATABASE_URL=url) as stack:
        yield stack


@pytest.fixture
def pg_jobs(make_jobs: Callable[..., Any], pg_stack: Any, url: str) -> Iterator[Any]:
    client, home, media = pg_stack.client, pg_stack.home, pg_stack.media
    with make_jobs(client, home, media, FRAMEGATE_DATABASE_URL=url) as jobs:
        yield jobs


@contextmanager
def _all_connections_taken(server: PostgresServer) -> Iterator[None]:
    """An outsider holds every connection that the server has left, its reserve included."""
    engine = create_engine(server.url, poolclass=NullPool)
    with ExitStack() as held:
        with pytest.raises(OperationalError, match="too many clients"):
            _take(engine, held)
        yield


def _take(engine: Engine, held: ExitStack) -> None:
    while True:
        held.enter_context(engine.connect())


@pytest.mark.parametrize("stopped_by", [signal.SIGINT, signal.SIGKILL], ids=["restart", "crash"])
def test_twenty_jobs_outlast_a_server_that_goes_and_comes_back(
    pg_jobs: Any, server: PostgresServer, tmp_path: Path, stopped_by: signal.Signals
) -> None:
    """Some are at work then, the others wait."""
    go = tmp_path / "go"
    running = [pg_jobs.submit("sleep", until=str(go)) for _ in range(4)]
    busy = [pg_jobs.submit("sleep", seconds=0.5) for _ in range(JOBS - 4)]
    for job in running:
        pg_jobs.await_start(job)

    server.stop(stopped_by)
    go.touch()
    time.sleep(3.0)
    server.start()

    ended = [pg_jobs.wait(job, timeout=240.0) for job in [*running, *busy]]
    assert [job["error"] for job in ended if job["status"] != "completed"] == []


def test_while_the_server_is_away_answers_say_so(
    pg_jobs: Any, pg_stack: Any, server: PostgresServer
) -> None:
    body = {"media": pg_jobs.media, "pipelines": ["misbehaving"]}
    server.stop()
    try:
        refused = pg_stack.client.post("/api/v1/jobs", json=body)
        alive = pg_stack.client.get("/api/v1/health")
    finally:
        server.start()

    assert refused.status_code == 503, refused.text
    # Which of the two depends on whether the key had been looked up a moment ago.
    assert refused.json()["error"]["code"] in {"DATABASE_UNAVAILABLE", "ORCHESTRATOR_UNAVAILABLE"}
    assert refused.json()["error"]["hint"]
    assert alive.status_code == 200
    assert pg_jobs.wait(pg_jobs.submit("finish"))["status"] == "completed"


@pytest.fixture
def runs_of(pg_stack: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """The runs that Dagster itself has for a key."""
    monkeypatch.setenv("FRAMEGATE_DATABASE_URL", url)

    def find(key: str) -> list[str]:
        with open_instance(pg_stack.home.dagster) as instance:
            return instance.get_run_ids(RunsFilter(tags={IDEMPOTENCY_KEY_TAG: key}))

    return find


def test_what_is_asked_when_the_server_goes_happens_once(
    pg_jobs: Any,
    pg_stack: Any,
    server: PostgresServer,
    runs_of: Callable[[str], list[str]],
    tmp_path: Path,
) -> None:
    """Submissions with a key and a cancellation are under way then; clients ask again."""
    running, _worker = pg_jobs.at_work("sleep", until=str(tmp_path / "never"))
    body = {"media": pg_jobs.media, "pipelines": ["misbehaving"]}

    def post(key: str) -> httpx.Response:
        return pg_stack.client.post("/api/v1/jobs", json=body, headers={"Idempotency-Key": key})

    def cancel() -> httpx.Response:
        return pg_stack.client.post(f"/api/v1/jobs/{running}/cancel")

    with ThreadPoolExecutor(KEYS + 1) as clients:
        posted = {key: clients.submit(_until_answered, post, key) for key in map(str, range(KEYS))}
        while not any(future.done() for future in posted.values()):
            time.sleep(0.01)
        cancelled = clients.submit(_until_answered, cancel)
        server.stop()
        time.sleep(3.0)
        server.start()
        jobs = {key: future.result().json()["id"] for key, future in posted.items()}
    pg_jobs.accepted += jobs.values()

    assert cancelled.result().status_code == 200, cancelled.result().text
    assert pg_jobs.wait(running)["status"] == "cancelled"
    assert [pg_jobs.wait(job)["status"] for job in jobs.values()] == ["completed"] * KEYS
    assert {key: runs_of(key) for key in jobs} == {key: [job] for key, job in jobs.items()}


def _until_answered(ask: Callable[..., httpx.Response], *arguments: str) -> httpx.Response:
    """As clients do: while the answer is that it is to be tried again."""
    deadline = time.monotonic() + 240.0
    while (answer := ask(*arguments)).status_code in {409, 503}:
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)
    return answer


def test_jobs_outlast_a_server_without_connections_to_spare(
    pg_jobs: Any, pg_stack: Any, server: PostgresServer, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    running = pg_jobs.submit("sleep", until=str(go))
    pg_jobs.await_start(running)
    queued = [pg_jobs.submit("finish") for _ in range(4)]

    with _all_connections_taken(server):
        go.touch()
        answer = pg_stack.client.get("/api/v1/jobs")
        time.sleep(3.0)

    assert answer.status_code in {200, 503}, answer.text
    ended = [pg_jobs.wait(job, timeout=240.0) for job in [running, *queued]]
    assert [job["status"] for job in ended] == ["completed"] * 5
