"""The real stack on PostgreSQL: one setting, and everything is kept there."""

import time
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest
import yaml
from sqlalchemy import create_engine, inspect, make_url
from sqlalchemy.pool import NullPool

from api.cli.errors import CommandError
from api.cli.stack_process import StackProcess
from api.stack.events import StackReady
from contracts.database import most_connections
from contracts.project import PROJECT
from tests.conftest import RunningStack, StartUp
from tests.postgresql import PASSWORD, Databases, PostgresServer
from tests.webserver import ask_dagster

pytestmark = pytest.mark.postgres

CONNECTIONS = 4
JOBS = 12
DONE = {"completed", "failed", "cancelled"}


@pytest.fixture(scope="module")
def url(postgres: Databases) -> Iterator[str]:
    with postgres.fresh() as url:
        yield url


@pytest.fixture(scope="module")
def stack_and_key(
    running_stack: RunningStack, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[StackReady, str]]:
    home = tmp_path_factory.mktemp("postgres") / "home"
    with running_stack(
        home, FRAMEGATE_DATABASE_URL=url, FRAMEGATE_DATABASE_CONNECTIONS=str(CONNECTIONS)
    ) as stack_and_key:
        yield stack_and_key


@pytest.fixture(scope="module")
def client(stack_and_key: tuple[StackReady, str]) -> Iterator[httpx.Client]:
    stack, key = stack_and_key
    with httpx.Client(
        base_url=stack.url, headers={"X-API-Key": key}, timeout=60.0, trust_env=False
    ) as client:
        yield client


@pytest.fixture(scope="module")
def media(client: httpx.Client, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("media") / "silence.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(3200))
    with path.open("rb") as upload:
        answer = client.post(
            "/api/v1/jobs",
            files={"video": ("silence.wav", upload)},
            data={"selected_pipelines": "misbehaving"},
        )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["media"])


def _submit(client: httpx.Client, media: str, key: str) -> httpx.Response:
    return client.post(
        "/api/v1/jobs",
        json={"media": media, "pipelines": ["misbehaving"]},
        headers={"Idempotency-Key": key},
    )


def _finish(client: httpx.Client, job: str) -> str:
    deadline = time.monotonic() + 120.0
    while (status := client.get(f"/api/v1/jobs/{job}").json()["status"]) not in DONE:
        assert time.monotonic() < deadline, status
        time.sleep(0.2)
    return str(status)


def test_both_schemas_are_in_the_one_database_and_no_file_is(
    stack_and_key: tuple[StackReady, str], url: str
) -> None:
    engine = create_engine(url, poolclass=NullPool)
    dagsters = set(inspect(engine).get_table_names("public"))
    adapters = set(inspect(engine).get_table_names("framegate"))

    assert {"runs", "event_logs", "jobs", "alembic_version"} <= dagsters
    assert adapters == {"api_keys", "idempotency_records", "installation", "alembic_version"}
    assert list(Path(stack_and_key[0].home).rglob("*.db")) == []


def test_jobs_at_once_complete_within_the_limit_of_connections(
    client: httpx.Client, media: str, postgres: Databases, url: str
) -> None:
    config = yaml.safe_load((PROJECT / "dagster.yaml").read_text())
    runs = config["concurrency"]["runs"]["max_concurrent_runs"]
    jobs, most = [], 0
    for number in range(JOBS):
        jobs.append(_submit(client, media, f"job-{number}").json()["id"])
        most = max(most, postgres.connections(url))
    while not {client.get(f"/api/v1/jobs/{job}").json()["status"] for job in jobs} <= DONE:
        most = max(most, postgres.connections(url))

    assert {_finish(client, job) for job in jobs} == {"completed"}
    assert 0 < most <= most_connections(CONNECTIONS, runs)


def test_one_key_is_one_job_however_many_ask_at_once(client: httpx.Client, media: str) -> None:
    with ThreadPoolExecutor(8) as clients:
        answers = list(clients.map(lambda _: _submit(client, media, "the-same"), range(16)))
    created = {answer.json()["id"] for answer in answers if answer.status_code in {200, 201}}

    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    assert len(created) == 1
    assert _finish(client, created.pop()) == "completed"


def test_the_password_is_on_no_command_line_and_in_no_log(
    stack_and_key: tuple[StackReady, str], url: str, client: httpx.Client
) -> None:
    stack, _key = stack_and_key
    secret = make_url(url).password or PASSWORD
    lines = [" ".join(each.cmdline()) for each in psutil.Process().children(recursive=True)]
    logs = [log.read_text() for log in Path(stack.home, "logs").glob("*.log")]
    shown = [
        client.get("/api/v1/health?detailed=true").text,
        ask_dagster(stack.home, "{ instance { info } }")["instance"]["info"],
    ]

    assert "ChosenStorage" in shown[-1] or "PooledRunStorage" in shown[-1]
    for text in (*lines, *logs, *shown):
        assert secret not in text


@pytest.fixture
def said(start_up: StartUp, tmp_path: Path) -> Callable[[str], str]:
    """Why `framegate up` does not start on a database, and what it hints at."""

    def said(url: str) -> str:
        settings = {"FRAMEGATE_DATABASE_URL": url}
        with start_up(tmp_path / "home", settings=settings) as process:
            with pytest.raises(CommandError) as caught:
                StackProcess(process.stdout or ()).until_ready(lambda _event: None)
            process.wait()
        assert PASSWORD not in caught.value.message
        return f"{caught.value.message} {caught.value.hint}"

    return said


def test_a_server_that_is_not_there_is_told(said: Callable[[str], str]) -> None:
    answer = said("postgresql://framegate@127.0.0.1:9/framegate")

    assert "127.0.0.1:9" in answer
    assert "Check that its server runs" in answer


def test_a_wrong_password_is_told(
    said: Callable[[str], str], postgres_server: PostgresServer
) -> None:
    wrong = PASSWORD[::-1]
    url = postgres_server.url.set(password=wrong).render_as_string(hide_password=False)
    answer = said(url)

    assert "password authentication failed" in answer
    assert "Check the user and the password" in answer
    assert wrong not in answer


def test_a_database_that_is_not_there_is_told(
    said: Callable[[str], str], postgres_server: PostgresServer
) -> None:
    missing = postgres_server.url.set(database="nowhere").render_as_string(hide_password=False)

    assert '"nowhere" does not exist' in (answer := said(missing))
    assert "createdb" in answer


def test_a_user_without_rights_is_told(
    said: Callable[[str], str], postgres_server: PostgresServer
) -> None:
    databases = postgres_server.databases
    databases.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
    with databases.fresh() as url:
        guests = make_url(url).set(username="guest", password="guest")  # noqa: S106 - made above
        answer = said(guests.render_as_string(hide_password=False))
    databases.execute("DROP ROLE guest")

    assert "permission denied" in answer
    assert "own the database" in answer


def test_what_is_no_postgresql_is_told(said: Callable[[str], str]) -> None:
    assert "use postgresql://" in said(f"mysql://me:{PASSWORD}@127.0.0.1/framegate")
