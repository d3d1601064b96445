"""How much of the machine's memory a run may hold, and the two means that see to it.

Where groups can be made, each run is in a group of its own, and the kernel kills all of it when it
exceeds the limit. Elsewhere the supervisor watches the memory of the run's processes, and kills.
"""

import hashlib
import logging
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from contracts.cgroup import NoCgroupsError, limit_memory_below, parent_of_runs
from contracts.home import Home
from contracts.json_file import write_json

logger = logging.getLogger("framegate.workers")

#: Between two looks at a run that holds little; nearer to the limit it is looked at more often.
_LONGEST_PAUSE_SECONDS = 1.0
_SHORTEST_PAUSE_SECONDS = 0.05
#: How fast a run is expected to fill memory at most, in bytes per second.
_FASTEST_GROWTH = 4 * 1000**3


class RunMemory(Protocol):
    """Holds one run to its limit of `limit` bytes."""

    limit: int

    def admit(self, worker: int) -> None:
        """Takes in the run worker, before it does anything. Raises OSError."""
        ...

    def peak_beyond(self) -> int | None:
        """The most bytes that the run held, if it exceeded its limit."""
        ...

    def pause(self) -> float:
        """Seconds until it should be looked at again."""
        ...


@dataclass
class GroupMemory:
    """By a group of the kernel's; `folder` is the run's."""

    folder: Path
    limit: int

    def admit(self, worker: int) -> None:
        (self.folder / "memory.max").write_text(str(self.limit))
        with suppress(OSError):  # a kernel without swap has no such file
            (self.folder / "memory.swap.max").write_text("0")
        (self.folder / "memory.oom.group").write_text("1")
        (self.folder / "cgroup.procs").write_text(str(worker))

    def peak_beyond(self) -> int | None:
        events = dict(line.split() for line in _read(self.folder / "memory.events").splitlines())
        if events.get("oom_kill", "0") == "0":
            return None
        peak = _read(self.folder / "memory.peak").strip()  # since Linux 5.19
        return int(peak or self.limit)

    def pause(self) -> float:
        return _LONGEST_PAUSE_SECONDS


@dataclass
class WatchedMemory:
    """By looking at every process below this one; pages that several share count once in all.

    Resident memory, which is cheap to read, is never less than what counts, the proportional set
    size: that is read only where the former exceeds the limit.
    """

    limit: int
    _held: int = field(default=0, init=False)

    def admit(self, worker: int) -> None:
        """Whatever is below the supervisor is watched."""

    def peak_beyond(self) -> int | None:
        tree = psutil.Process().children(recursive=True)
        self._held = sum(_resident(process) for process in tree)
        if self._held > self.limit:
            self._held = sum(_proportional(process) for process in tree)
        return self._held if self._held > self.limit else None

    def pause(self) -> float:
        seconds = (self.limit - self._held) / _FASTEST_GROWTH
        return min(max(seconds, _SHORTEST_PAUSE_SECONDS), _LONGEST_PAUSE_SECONDS)


@dataclass(frozen=True)
class MemoryLimits:
    """The means in use. `groups` is the folder of the runs' groups; None where memory is watched,
    for the `reason`.
    """

    groups: Path | None
    reason: str = ""

    @classmethod
    def prepare(cls, home: Home, under_way: Collection[str] = ()) -> "MemoryLimits":
        """Finds the means, removes what runs of a killed stack left, and notes it for `doctor`.

        `under_way` are the runs that go on, whose groups stay.
        """
        try:
            means = cls(_make_groups(home))
        except (NoCgroupsError, OSError) as error:
            means = cls(None, str(error))
        means.sweep(under_way)
        write_json(home.memory_limits, {"groups": str(means.groups or ""), "reason": means.reason})
        return means

    @contextmanager
    def hold(self, run_id: str, limit: int) -> Iterator[RunMemory]:
        """Of one run, until all its processes are gone."""
        folder = self.groups and self.groups / run_id
        if folder is None:
            yield WatchedMemory(limit)
            return
        try:
            folder.mkdir(exist_ok=True)
        except OSError:
            logger.exception("the run gets no group of its own: its memory is watched")
            yield WatchedMemory(limit)
            return
        try:
            yield GroupMemory(folder, limit)
        finally:
            self.remove(run_id)

    def remove(self, run_id: str) -> None:
        """The run's group; one that still holds processes stays."""
        if self.groups:
            with suppress(OSError):
                (self.groups / run_id).rmdir()

    def sweep(self, under_way: Collection[str]) -> None:
        """Removes the groups of runs that are over."""
        for folder in self.groups.glob("*/") if self.groups else ():
            if folder.name not in under_way:
                self.remove(folder.name)

    def close(self) -> None:
        """When the stack stops."""
        if self.groups:
            self.sweep(())
            with suppress(OSError):
                self.groups.rmdir()


def _make_groups(home: Home) -> Path:
    """The folder of the groups of this home's runs: there may be several stacks on a machine."""
    parent = parent_of_runs()
    limit_memory_below(parent)
    digest = hashlib.sha256(os.fsencode(home.root)).hexdigest()[:12]
    folder = parent / f"framegate-{digest}"
    folder.mkdir(exist_ok=True)
    limit_memory_below(folder)
    return folder


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.Error):
        return int(process.memory_info().rss)
    return 0


def _proportional(process: psutil.Process) -> int:
    """One that this user may not look into counts in full."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.AccessDenied:
        return _resident(process)
    except psutil.Error:
        return 0


def _read(path: Path) -> str:
    with suppress(OSError):
        return path.read_text()
    return ""
