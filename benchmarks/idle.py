"""What processes cost while nothing happens: their share of a core, and their memory."""

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Part:
    """`share` is of one core's time, `megabytes` counts a page shared by n processes 1/n times."""

    name: str
    processes: int
    share: float
    megabytes: float


def measure_idle(processes: Callable[[], Sequence[psutil.Process]], seconds: float) -> list[Part]:
    """The processes that live from start to end, by what they run; the busiest first."""
    started, before = time.monotonic(), _busy(processes())
    time.sleep(seconds)
    elapsed, after = time.monotonic() - started, _busy(processes())
    parts: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for process in before.keys() & after.keys():
        with suppress(psutil.NoSuchProcess, FileNotFoundError, ProcessLookupError):
            share = (after[process] - before[process]) / elapsed
            parts[_name(process.cmdline())].append((share, _megabytes(process.pid)))
    summed = [
        Part(name, len(each), sum(share for share, _ in each), sum(memory for _, memory in each))
        for name, each in parts.items()
    ]
    return sorted(summed, key=lambda part: part.share, reverse=True)


def _busy(processes: Sequence[psutil.Process]) -> dict[psutil.Process, float]:
    """Seconds of a core that each has used."""
    used: dict[psutil.Process, float] = {}
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            used[process] = times.user + times.system
    return used


def _megabytes(pid: int) -> float:
    """The proportional set size: see smaps_rollup in proc_pid_smaps(5)."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    [size] = [int(line.split()[1]) for line in lines if line.startswith("Pss:")]
    return size * 1024 / 1e6


def _name(command: Sequence[str]) -> str:
    """The module or script that Python runs, or the program: `python -m api.cli` is `api.cli`."""
    if not command or "python" not in Path(command[0]).name:
        return Path(command[0].split()[0]).name if command else "?"
    if "-m" in command:
        module = command[command.index("-m") + 1 :]
        module = module[1:] if module[0] == "orchestration.slower_polling" else module
        return " ".join(module[:2]) if module[0] == "dagster" else module[0]
    if "-c" in command:
        return "python -c"
    scripts = [Path(each).name for each in command[1:] if not each.startswith("-")]
    return scripts[0] if scripts else "python"
