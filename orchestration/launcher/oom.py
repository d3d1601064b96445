"""How many processes the kernel has killed for want of memory; compare two readings."""

from pathlib import Path

_COUNTERS = Path("/proc/vmstat")


def oom_kills(counters: Path = _COUNTERS) -> int:
    """Kills on the whole machine, by cgroup limits too; 0 where the kernel does not count them.

    See proc_vmstat(5).
    """
    try:
        lines = counters.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
