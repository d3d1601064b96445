"""`framegate up` as people and init systems run it: the real parts, killed on purpose."""

import json
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import sleep

import httpx
import psutil
import pytest

from api.cli.stack_process import StackProcess
from api.stack.events import AdminKeyCreated, Event, PartReady, StackReady, StackStopped
from api.stack.lock import find_running
from api.stack.ports import is_free
from contracts.home import Home
from contracts.socket_address import socket_address
from tests.webserver import webserver_of

PARTS = {"code server", "fork server", "webserver", "daemon", "API"}
WEBSERVER = ("orchestration.webserver",)

StartUp = Callable[..., subprocess.Popen[str]]
Tree = list[psutil.Process]
Told = list[Event]
Up = tuple[subprocess.Popen[str], Iterator[Event], Told]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def up(start_up: StartUp, home: Path) -> Iterator[Up]:
    """A stack of the test's own that is ready: its process, what it tells from now on, and what
    it told until now.
    """
    told: Told = []
    with start_up(home) as process:
        stack = StackProcess(process.stdout or ())
        tree: Tree = []
        try:
            stack.until_ready(told.append)
            tree = tree_of(process.pid)
            yield process, stack.tell(), told
        finally:
            for running in [*tree, process]:
                with suppress(psutil.NoSuchProcess):
                    running.kill()


@pytest.fixture(scope="module")
def killed_and_started_again(
    start_up: StartUp, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Tree, Told, Told]:
    """What was left of a stack killed by SIGKILL once the next one in its home was ready, and what
    both told.
    """
    home = tmp_path_factory.mktemp("killed") / "home"
    first: Told = []
    second: Told = []
    with start_up(home) as process:
        StackProcess(process.stdout or ()).until_ready(first.append)
        tree = tree_of(process.pid)
        process.kill()
    with start_up(home, port=port_of(first)) as again:
        try:
            StackProcess(again.stdout or ()).until_ready(second.append)
            left = [part for part in tree if part.is_running()]
        finally:
            again.terminate()
    return left, first, second


def tree_of(pid: int) -> Tree:
    return psutil.Process(pid).children(recursive=True)


def part_of(pid: int, *command: str) -> psutil.Process:
    """The part of a stack that runs a module, not the keeper beside it."""
    run = ["-m", *command]
    [part] = [child for child in tree_of(pid) if child.cmdline()[1 : 1 + len(run)] == run]
    return part


def test_a_ready_stack_answers_at_the_address_it_tells(stack: StackReady) -> None:
    assert httpx.get(f"{stack.url}/api/v1/health", trust_env=False).is_success


def test_a_taken_port_is_told_before_anything_starts(
    start_up: StartUp, stack: StackReady, home: Path
) -> None:
    taken = httpx.URL(stack.url).port
    with start_up(home, port=taken) as process:
        output, _ = process.communicate()
    error = json.loads(output)["error"]

    assert process.returncode == 1
    assert f"Port {taken}" in error["message"]
    assert "--port" in error["hint"]
    assert not (home / "framegate.db").exists()


def test_a_home_serves_one_stack(start_up: StartUp, stack: StackReady) -> None:
    with start_up(Path(stack.home)) as process:
        output, _ = process.communicate()

    assert process.returncode == 1
    assert stack.url in json.loads(output)["error"]["message"]


def test_no_log_holds_the_first_key(stack: StackReady, admin_key: str) -> None:
    for log in Path(stack.home, "logs").iterdir():
        assert admin_key not in log.read_text(errors="replace")


def test_ctrl_c_stops_the_stack_and_leaves_nothing_behind(up: Up, home: Path) -> None:
    process, events, told = up
    tree = tree_of(process.pid)
    process.send_signal(signal.SIGINT)

    assert any(isinstance(event, StackStopped) for event in events)
    assert process.wait() == 0
    assert [part for part in tree if part.is_running()] == []
    assert not (home / "run" / "stack.lock").exists()
    assert is_free("127.0.0.1", port_of(told))
    assert {event.part for event in told if isinstance(event, PartReady)} == PARTS


def test_a_part_that_is_killed_is_started_again(stack: StackReady) -> None:
    running = find_running(Path(stack.home, "run"))
    assert running
    killed = part_of(running.pid, *WEBSERVER)
    killed.kill()
    killed.wait()

    while not _answers(stack):
        sleep(0.1)
    assert part_of(running.pid, *WEBSERVER) != killed


def _answers(stack: StackReady) -> bool:
    """Httpx leaves its socket open where nobody listens, so that is tried by hand first."""
    with (
        socket_address(Home(Path(stack.home)).webserver_socket) as address,
        socket.socket(socket.AF_UNIX) as listening,
    ):
        if listening.connect_ex(address) != 0:
            return False
    try:
        with webserver_of(stack.home) as webserver:
            return webserver.get("/server_info").is_success
    except httpx.TransportError:
        return False


def test_a_part_that_keeps_dying_stops_the_whole_with_its_log(up: Up, home: Path) -> None:
    process, _events, _told = up
    for _ in range(4):
        part_of(process.pid, "api").kill()
        for line in process.stdout or ():
            told = json.loads(line)
            if told.get("part") == "API" and told["event"] == "PartReady":
                break
    output, _ = process.communicate()
    error = json.loads((line + output).splitlines()[-1])["error"]

    assert process.returncode == 1
    assert error["message"] == "The API ended by SIGKILL 4 times within 60 s."
    assert "Uvicorn running" in error["detail"]["log"]
    assert str(home / "logs" / "api.log") in error["hint"]


def test_a_part_that_cannot_start_stops_the_whole_with_its_log(
    start_up: StartUp, home: Path
) -> None:
    (home / "dagster").mkdir(parents=True)
    (home / "dagster" / "history").write_text("no folder")
    with start_up(home, settings={"FRAMEGATE_DATABASE_URL": ""}) as process:
        output, _ = process.communicate()
    error = json.loads(output.splitlines()[-1])["error"]

    assert process.returncode == 1
    assert "before it was ready" in error["message"]
    assert "history" in error["detail"]["log"]


def test_nothing_outlives_a_killed_stack(killed_and_started_again: tuple[Tree, Told, Told]) -> None:
    left, _first, _second = killed_and_started_again

    assert left == []


def test_a_killed_stacks_home_and_port_serve_again(
    killed_and_started_again: tuple[Tree, Told, Told],
) -> None:
    _left, first, second = killed_and_started_again

    assert port_of(first) == port_of(second)


def test_the_first_start_alone_makes_a_key(
    killed_and_started_again: tuple[Tree, Told, Told],
) -> None:
    _left, first, second = killed_and_started_again
    keys = [
        [event for event in told if isinstance(event, AdminKeyCreated)] for told in (first, second)
    ]

    assert [len(made) for made in keys] == [1, 0]


def port_of(told: Told) -> int:
    [ready] = [event for event in told if isinstance(event, StackReady)]
    return httpx.URL(ready.url).port or 0
