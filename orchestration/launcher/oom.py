"""How many processes the kernel has killed for want of memory, as far as this process can see."""

from pathlib import Path

_MACHINE = Path("/proc/vmstat")
_CGROUP = Path("/sys/fs/cgroup")


def oom_kills() -> int:
    """Kills in the whole machine and in this process's cgroup; compare two readings.

    See proc(5) on vmstat and the kernel's cgroup-v2 document on memory.events.
    """
    return _count(_MACHINE) + _count(_own_cgroup() / "memory.events")


def _own_cgroup() -> Path:
    path = Path("/proc/self/cgroup").read_text().strip().rpartition(":")[2]
    return _CGROUP / path.lstrip("/")


def _count(table: Path) -> int:
    try:
        lines = table.read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.split()[:1] == ["oom_kill"])
