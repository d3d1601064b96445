"""`framegate up` as people and init systems run it: the real parts, killed on purpose."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from api.cli.stack_process import StackProcess
from api.stack.events import Event, PartReady, PartRestarting, StackReady, StackStopped
from api.stack.lock import find_running
from api.stack.ports import free_port, is_free

PARTS = {"code server", "run workers", "webserver", "daemon", "API"}

StartUp = Callable[..., subprocess.Popen[str]]
Up = tuple[subprocess.Popen[str], Iterator[Event], list[Event]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def up(start_up: StartUp, home: Path) -> Iterator[Up]:
    """A stack of the test's own that is ready: its process, what it tells from now on, and what
    it told until now.
    """
    told: list[Event] = []
    with start_up(home) as process:
        stack = StackProcess(process.stdout or ())
        tree: list[psutil.Process] = []
        try:
            stack.until_ready(told.append)
            tree = psutil.Process(process.pid).children(recursive=True)
            yield process, stack.tell(), told
        finally:
            for running in [*tree, process]:
                with suppress(psutil.NoSuchProcess):
                    running.kill()


def tree_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def part_of(process: subprocess.Popen[str], module: str) -> psutil.Process:
    """The part that runs a module, not the keeper beside it."""
    [part] = [child for child in tree_of(process) if child.cmdline()[1:3] == ["-m", module]]
    return part


def await_event(events: Iterator[Event], kind: type[Event]) -> Event:
    return next(event for event in events if isinstance(event, kind))


def test_each_part_is_told_when_it_is_ready_and_then_the_whole(up: Up) -> None:
    _process, _events, told = up

    assert {event.part for event in told if isinstance(event, PartReady)} == PARTS
    assert isinstance(told[-1], StackReady)


def test_a_ready_stack_answers_at_the_addresses_it_tells(stack: StackReady) -> None:
    for url in (f"{stack.url}/api/v1/health", f"{stack.dagster_url}/server_info"):
        assert httpx.get(url, trust_env=False).is_success


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


def test_one_port_cannot_serve_both(start_up: StartUp, home: Path) -> None:
    port = free_port()
    with start_up(home, port=port, dagster_port=port) as process:
        output, _ = process.communicate()

    assert "--dagster-port" in json.loads(output)["error"]["hint"]


def test_a_home_serves_one_stack(start_up: StartUp, stack: StackReady) -> None:
    with start_up(Path(stack.home)) as process:
        output, _ = process.communicate()

    assert process.returncode == 1
    assert stack.url in json.loads(output)["error"]["message"]


def test_the_first_start_alone_makes_a_key(up: Up, start_up: StartUp, home: Path) -> None:
    process, _events, told = up
    process.terminate()
    process.wait()
    with start_up(home) as again:
        try:
            second: list[Event] = []
            StackProcess(again.stdout or ()).until_ready(second.append)
        finally:
            again.terminate()

    kinds = [[type(event).__name__ for event in run] for run in (told, second)]
    assert [kind.count("AdminKeyCreated") for kind in kinds] == [1, 0]


def test_no_log_holds_the_first_key(stack: StackReady, admin_key: str) -> None:
    for log in Path(stack.home, "logs").iterdir():
        assert admin_key not in log.read_text(errors="replace")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stopped_stack_leaves_nothing_behind(up: Up, home: Path, number: signal.Signals) -> None:
    process, events, told = up
    tree = tree_of(process)
    process.send_signal(number)

    await_event(events, StackStopped)
    assert process.wait() == 0
    assert [part for part in tree if part.is_running()] == []
    assert find_running(home / "run") is None
    assert not (home / "run" / "stack.lock").exists()
    assert all(is_free("127.0.0.1", port) for port in ports_of(told))


def test_a_part_that_is_killed_is_started_again(up: Up) -> None:
    process, events, _told = up
    part_of(process, "dagster_webserver").kill()

    restarting = await_event(events, PartRestarting)
    ready = await_event(events, PartReady)

    assert restarting == PartRestarting("webserver", "by SIGKILL", 0.2)
    assert isinstance(ready, PartReady)
    assert ready.part == "webserver"


def test_a_part_that_keeps_dying_stops_the_whole_with_its_log(up: Up, home: Path) -> None:
    process, _events, _told = up
    for _ in range(4):
        part_of(process, "api").kill()
        for line in process.stdout or ():
            told = json.loads(line)
            if told.get("part") == "API" and told["event"] == "PartReady":
                break
    output, _ = process.communicate()
    error = json.loads((line + output).splitlines()[-1])["error"]

    assert process.returncode == 1
    assert error["message"] == "The API ended by SIGKILL for the 4th time."
    assert "Uvicorn running" in error["detail"]["log"]
    assert str(home / "logs" / "api.log") in error["hint"]


def test_a_part_that_cannot_start_stops_the_whole_with_its_log(
    start_up: StartUp, home: Path
) -> None:
    (home / "dagster").mkdir(parents=True)
    (home / "dagster" / "history").write_text("no folder")
    with start_up(home) as process:
        output, _ = process.communicate()
    error = json.loads(output.splitlines()[-1])["error"]

    assert process.returncode == 1
    assert "before it was ready" in error["message"]
    assert "history" in error["detail"]["log"]


def test_nothing_outlives_a_killed_stack_and_its_home_starts_again(
    up: Up, start_up: StartUp, home: Path
) -> None:
    process, _events, told = up
    tree = tree_of(process)
    process.kill()
    port, dagster_port = ports_of(told)
    with start_up(home, port=port, dagster_port=dagster_port) as again:
        try:
            StackProcess(again.stdout or ()).until_ready(lambda _event: None)
        finally:
            again.terminate()

    assert [part for part in tree if part.is_running()] == []


def ports_of(told: list[Event]) -> list[int]:
    [ready] = [event for event in told if isinstance(event, StackReady)]
    return [httpx.URL(url).port or 0 for url in (ready.url, ready.dagster_url)]
