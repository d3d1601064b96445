"""The fork server's answers to what goes wrong; how it forks runs is tested on the whole stack."""

import errno
import json
import os
import socket
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from dagster import DagsterInstance

from contracts.home import Home
from orchestration.launcher import messages
from orchestration.launcher.fork_server import ForkServer
from orchestration.launcher.lease import PROCESSOR, Lease, acquire, read_leases
from orchestration.launcher.memory_limit import MemoryLimits
from orchestration.launcher.sources import Sources

REQUEST = {
    "action": "launch",
    "run_id": "run",
    "grace_seconds": 5.0,
    "limits": {"memory": 10**9, "time": {}},
    "lease": {"uuid": PROCESSOR.uuid, "memory": 0},
    "log_fields": {},
}
Ask = Callable[[Mapping[str, Any] | bytes], dict[str, Any] | None]


@pytest.fixture
def server(dagster_home: Home, dagster: DagsterInstance, inventory: Any) -> ForkServer:
    return ForkServer(
        dagster_home,
        inventory,
        Sources({}),
        instances=dagster,  # type: ignore[arg-type] # nothing of it is used in the server itself
        memory_limits=MemoryLimits(None),
        supervisors={},
    )


@pytest.fixture
def ask(server: ForkServer) -> Ask:
    """What the server answers to one question; None if it hangs up."""

    def ask(question: Mapping[str, Any] | bytes) -> dict[str, Any] | None:
        path = server.home.fork_server_socket
        with messages.listen(path) as listener, socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(path))
            line = question if isinstance(question, bytes) else json.dumps(question).encode()
            connection.sendall(line + b"\n")
            server._answer(listener)
            try:
                return messages.receive(connection)
            except ValueError:
                return None

    return ask


@pytest.fixture
def no_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> int:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(os, "fork", fail)


@pytest.mark.parametrize("nonsense", [b"{", b"[]", b"7", b'{"action": "launch"}', b"\xff"])
def test_nonsense_does_not_end_the_server(ask: Ask, nonsense: bytes) -> None:
    assert ask(nonsense) is None

    assert ask({"action": "status"}) == {"runs": []}


@pytest.mark.usefixtures("no_fork")
def test_a_run_that_cannot_be_forked_stays_in_the_queue_and_holds_no_lease(
    ask: Ask, server: ForkServer
) -> None:
    for _ in range(2):
        answer = ask(REQUEST)
        assert answer
        assert "cannot be started" in answer["not_yet"]

    assert read_leases(server.home) == []


def test_a_run_is_not_launched_while_its_last_attempt_is_looked_after(
    ask: Ask, server: ForkServer
) -> None:
    server.supervisors[4711] = "run"

    answer = ask(REQUEST)

    assert answer
    assert "has not been recorded yet" in answer["not_yet"]


def test_a_run_is_not_launched_while_something_of_its_last_attempt_holds_its_lease(
    ask: Ask, server: ForkServer
) -> None:
    held = acquire(server.home, Lease("run", PROCESSOR.uuid, 0, 1))

    answer = ask(REQUEST)
    os.close(held)

    assert answer
    assert "is held" in answer["not_yet"]


@pytest.mark.parametrize(("is_reporter", "reported"), [(False, ["run"]), (True, [])])
def test_a_lost_supervisor_is_spoken_for_once(
    server: ForkServer,
    monkeypatch: pytest.MonkeyPatch,
    is_reporter: bool,  # noqa: FBT001 - a parameter of the test
    reported: list[str],
) -> None:
    """Who speaks for it is not spoken for: that might go on for ever."""
    told: list[str] = []
    monkeypatch.setattr(server, "_report_lost", told.append)
    monkeypatch.setattr(server, "_kill_orphans", lambda: None)
    pid = os.fork()
    if pid == 0:
        os._exit(1)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    server.supervisors[pid] = "run"
    if is_reporter:
        server._reporters.add(pid)

    server._reap()

    assert told == reported
    assert server.supervisors == {}
