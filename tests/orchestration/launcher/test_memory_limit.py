"""Both means of holding a run to its memory, with real processes that fill it."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from contracts.home import Home
from contracts.json_file import read_json
from orchestration.launcher import memory_limit
from orchestration.launcher.memory_limit import MemoryLimits, RunMemory, WatchedMemory

MEGABYTE = 1000**2
SECONDS = 60.0


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def groups(home: Home) -> Iterator[MemoryLimits]:
    """The means where runs get groups of their own; skipped where they cannot."""
    means = MemoryLimits.prepare(home)
    if means.groups is None:
        pytest.skip(f"no group with a memory limit can be made here: {means.reason}")
    yield means
    means.close()
    assert not means.groups.exists()


class Workers:
    """Processes that wait, so that they can be admitted, until they are let go to their work."""

    def __init__(self) -> None:
        self._gates: dict[int, int] = {}

    def fork(self, work: Callable[[], None]) -> int:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(writer)
            os.read(reader, 1)
            work()
            os._exit(0)
        os.close(reader)
        self._gates[pid] = writer
        return pid

    def let_go(self, pid: int) -> None:
        os.write(self._gates[pid], b"!")

    def end(self, pid: int) -> int:
        """Kills it unless it is dead already; returns its wait status."""
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        os.close(self._gates.pop(pid))
        return os.waitpid(pid, 0)[1]

    def end_all(self) -> None:
        for pid in list(self._gates):
            self.end(pid)


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers()
    yield workers
    workers.end_all()


def _hold(count: int) -> None:
    hoard = bytearray(count)
    time.sleep(SECONDS)
    del hoard


def _fill() -> None:
    hoard = []
    while True:
        hoard.append(bytearray(16 * MEGABYTE))


def _await_breach(memory: RunMemory) -> int:
    end = time.monotonic() + SECONDS
    while (peak := memory.peak_beyond()) is None:
        assert time.monotonic() < end
        time.sleep(memory.pause())
    return peak


def _held_already() -> int:
    """What is below this process: workers share what the test process holds, however much it is."""
    return WatchedMemory(0).peak_beyond() or 0


def test_a_run_that_fills_memory_is_seen(workers: Workers) -> None:
    pid = workers.fork(_fill)
    memory = WatchedMemory(_held_already() + 600 * MEGABYTE)
    assert memory.peak_beyond() is None

    workers.let_go(pid)

    assert _await_breach(memory) > memory.limit


def test_pages_that_several_processes_share_count_once(workers: Workers) -> None:
    """Each of four holds what they were forked with: resident they exceed the limit."""
    shared, before = bytearray(200 * MEGABYTE), _held_already()
    pids = [workers.fork(lambda: _hold(1)) for _ in range(4)]
    limit = before + psutil.Process().memory_info().rss
    assert sum(psutil.Process(pid).memory_info().rss for pid in pids) > limit

    assert WatchedMemory(limit).peak_beyond() is None
    assert len(shared) == 200 * MEGABYTE


def test_a_run_near_its_limit_is_looked_at_more_often() -> None:
    far, near = WatchedMemory(100 * 1000**3), WatchedMemory(MEGABYTE)

    assert near.pause() < far.pause()


def test_the_kernel_kills_what_exceeds_its_group_and_nothing_else(
    groups: MemoryLimits, workers: Workers
) -> None:
    other, greedy = workers.fork(lambda: _hold(MEGABYTE)), workers.fork(_fill)
    with groups.hold("calm", 200 * MEGABYTE) as calm, groups.hold("greedy", 200 * MEGABYTE) as full:
        calm.admit(other)
        full.admit(greedy)
        workers.let_go(other)
        workers.let_go(greedy)

        assert _await_breach(full) >= 200 * MEGABYTE * 0.9
        assert os.WTERMSIG(workers.end(greedy)) == signal.SIGKILL
        assert calm.peak_beyond() is None
        assert os.waitpid(other, os.WNOHANG) == (0, 0)
        workers.end(other)
    assert groups.groups
    assert list(groups.groups.glob("*/")) == []


def test_groups_of_a_killed_stack_are_removed_and_those_under_way_stay(
    groups: MemoryLimits, home: Home
) -> None:
    assert groups.groups
    for run in ("over", "under_way"):
        (groups.groups / run).mkdir()

    MemoryLimits.prepare(home, under_way=["under_way"])

    assert [path.name for path in groups.groups.glob("*/")] == ["under_way"]


def test_where_no_group_can_be_made_memory_is_watched_and_the_reason_noted(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_home: Home) -> Path:
        raise PermissionError("not yours")

    monkeypatch.setattr(memory_limit, "_make_groups", refuse)

    means = MemoryLimits.prepare(home)

    assert read_json(home.memory_limits) == {"groups": "", "reason": "not yours"}
    with means.hold("run", 5) as memory:
        assert isinstance(memory, WatchedMemory)
