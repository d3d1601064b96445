"""What tests of every room share: the real stack, started once."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

import httpx
import psutil
import pytest

from api.cli.stack_process import StackProcess
from api.stack.events import AdminKeyCreated, Event, StackReady
from api.stack.ports import is_free
from contracts.database import parse_url
from contracts.project import PROJECT
from tests.ports import free_port
from tests.postgresql import BINARIES, Databases, PostgresServer

_STOP_SECONDS = 60
_COMMAND_SECONDS = 240
#: Whether everything is tested on PostgreSQL: `make test-postgres`.
ON_POSTGRESQL = os.environ.get("FRAMEGATE_TEST_DATABASE") == "postgresql"
#: Tests do not wait for a minute before anything that was dropped is run.
_PROMPT_INBOX = {"FRAMEGATE_INBOX_INTERVAL_SECONDS": "5", "FRAMEGATE_INBOX_QUIET_SECONDS": "1"}

StartUp = Callable[..., subprocess.Popen[str]]
RunningStack = Callable[..., AbstractContextManager[tuple[StackReady, str]]]
#: The settings that tell a home its database, as environment variables.
DatabaseOf = Callable[[Path], Mapping[str, str]]
Framegate = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a stack run one after the other in the same process; so do those of a file
    that starts stacks of its own.
    """
    for item in items:
        fixtures: list[str] = getattr(item, "fixturenames", [])
        if "stack" in fixtures:
            item.add_marker(pytest.mark.xdist_group("stack"))
        elif "start_up" in fixtures:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> None:
    """Heard by every program that tests start. A shell that runs something in the background has
    it ignored there, and that is inherited.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def third_party(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip has installed a third party's pipelines."""
    folder = tmp_path_factory.mktemp("third-party")
    packages = PROJECT / "tests" / "packages"
    example = PROJECT / "docs" / "example-pipeline"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--disable-pip-version-check", "--target", str(folder)),
            *(str(packages / name) for name in ("misbehaving", "fake_gpu")),
            str(example),
        ],
        check=True,
        timeout=300,
    )
    return folder


@pytest.fixture(scope="session")
def bare_environment(third_party: Path) -> Mapping[str, str]:
    """The environment without settings of whoever runs the tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("FRAMEGATE_")}
    return {**kept, "PYTHONPATH": str(third_party)}


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Of the tests' own, so that it can be stopped and restarted."""
    folder = Path(tempfile.mkdtemp(prefix="framegate-postgres-"))
    server = PostgresServer(folder)
    try:
        server.initialise()
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def postgres(request: pytest.FixtureRequest) -> Databases:
    """Databases on the server that `FRAMEGATE_TEST_DATABASE_URL` names, else on our own."""
    if external := os.environ.get("FRAMEGATE_TEST_DATABASE_URL"):
        return Databases(parse_url(external))
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server.databases


@pytest.fixture
def database_url(postgres: Databases) -> Iterator[str]:
    """An empty PostgreSQL database of the test's own."""
    with postgres.fresh() as url:
        yield url


@pytest.fixture
def chosen_database_url(request: pytest.FixtureRequest) -> str:
    """Of one test: empty for SQLite in the home, else as `database_url`; see `database_of`."""
    return str(request.getfixturevalue("database_url")) if ON_POSTGRESQL else ""


@pytest.fixture(scope="session")
def database_of(request: pytest.FixtureRequest) -> Iterator[DatabaseOf]:
    """SQLite in the home; where `FRAMEGATE_TEST_DATABASE` is "postgresql", a database for each, and
    the programs that dump and restore it.
    """
    if not ON_POSTGRESQL:
        yield lambda _home: {}
        return
    postgres: Databases = request.getfixturevalue("postgres")
    urls: dict[Path, str] = {}

    def settings(home: Path) -> Mapping[str, str]:
        if home not in urls:
            urls[home] = postgres.create()
        return {
            "FRAMEGATE_DATABASE_URL": urls[home],
            "PATH": f"{BINARIES}{os.pathsep}{os.environ['PATH']}",
        }

    yield settings
    for url in urls.values():
        postgres.drop(url)


@pytest.fixture(scope="session")
def start_up(bare_environment: Mapping[str, str], database_of: DatabaseOf) -> StartUp:
    """Starts `framegate up --json` on free ports as a process that the caller must stop."""

    def start(
        home: Path,
        *options: str,
        port: int = 0,
        settings: Mapping[str, str] = MappingProxyType({}),
    ) -> subprocess.Popen[str]:
        command = [
            *(sys.executable, "-m", "api.cli", "up", "--json", "--home", str(home)),
            *("--port", str(port or free_port()), *options),
        ]
        return subprocess.Popen(
            command,
            env={**bare_environment, **_PROMPT_INBOX, **database_of(home), **settings},
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


@pytest.fixture(scope="session")
def framegate(bare_environment: Mapping[str, str], database_of: DatabaseOf) -> Framegate:
    """Runs the command as a person would; keyword arguments are environment variables."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        homes = [home for name, home in pairwise(arguments) if name == "--home"]
        database = database_of(Path(homes[0])) if homes else {}
        return subprocess.run(
            [sys.executable, "-m", "api.cli", *map(str, arguments)],
            cwd=PROJECT,
            env={**bare_environment, **database, **environment},
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def running_stack(start_up: StartUp) -> RunningStack:
    """Runs the real stack in a home of its own, and stops it: nothing of it may be left then.

    Keyword arguments are environment variables.
    """

    @contextmanager
    def run(home: Path, **settings: str) -> Iterator[tuple[StackReady, str]]:
        told: list[Event] = []
        with start_up(home, settings=settings) as process:
            try:
                ready = StackProcess(process.stdout or ()).until_ready(told.append)
                [key] = [event.key for event in told if isinstance(event, AdminKeyCreated)]
                yield ready, key
                tree = psutil.Process(process.pid).children(recursive=True)
            finally:
                process.terminate()
                process.communicate(timeout=_STOP_SECONDS)
        assert process.returncode == 0
        assert [child for child in tree if child.is_running()] == []
        assert is_free("127.0.0.1", httpx.URL(ready.url).port or 0)

    return run


@pytest.fixture(scope="session")
def _stack_and_key(
    running_stack: RunningStack, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[StackReady, str]]:
    home = tmp_path_factory.mktemp("stack") / "home"
    with running_stack(home, FRAMEGATE_LOG_FORMAT="json") as stack_and_key:
        yield stack_and_key


@pytest.fixture(scope="session")
def stack(_stack_and_key: tuple[StackReady, str]) -> StackReady:
    """The real stack that the tests share: `home`, `url`. See `tests.webserver` for its Dagster."""
    return _stack_and_key[0]


@pytest.fixture(scope="session")
def admin_key(_stack_and_key: tuple[StackReady, str]) -> str:
    """The key that the stack's first start made."""
    return _stack_and_key[1]


@pytest.fixture(scope="session")
def rest(stack: StackReady, admin_key: str) -> Iterator[httpx.Client]:
    """A client of the real stack's API, as an administrator."""
    with httpx.Client(
        base_url=stack.url, headers={"X-API-Key": admin_key}, timeout=30.0, trust_env=False
    ) as client:
        yield client
