"""`python -m tests.durations JUNIT.xml`: fails if a quick test or file of tests is slow.

Machines differ, so the check fails only beyond twice a limit, or more where the machine is busy.
What seems slow is run once more alone, since what ran beside it may have slowed it down.
"""

import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

TEST_SECONDS = 20.0
FILE_SECONDS = 60.0
_SLACK = 2.0

#: Seconds by module and name of a test.
Seconds = Mapping[tuple[str, str], float]


class Slow(NamedTuple):
    """What took too long: a module of tests, and a line that says so."""

    module: str
    line: str


def main() -> None:
    patience = max(_SLACK, os.getloadavg()[1] / (os.cpu_count() or 1))
    slow = [*too_slow(read(Path(sys.argv[1])), patience)]
    if slow:
        slow = [*too_slow(run_alone(sorted({each.module for each in slow})), patience)]
    if slow:
        lines = [each.line for each in slow]
        sys.exit("\n".join([*lines, "Make them faster, or move them to tests/deep/."]))


def read(report: Path) -> Seconds:
    """From pytest's report in JUnit's format. Setting up does not count: what tests share is set
    up by whichever comes first.
    """
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - pytest wrote it
    return {
        (case.get("classname", ""), case.get("name", "")): float(case.get("time", 0))
        for case in cases
    }


def run_alone(modules: list[str]) -> Seconds:
    """Runs these modules of tests again, in one process. Exits with pytest's status if one fails
    now.
    """
    files = [f"{module.replace('.', '/')}.py" for module in modules]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "junit.xml"
        pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        ran = subprocess.run([*pytest, f"--junit-xml={report}", *files], check=False)
        if ran.returncode:
            sys.exit(ran.returncode)
        return read(report)


def too_slow(seconds: Seconds, patience: float) -> Iterator[Slow]:
    """The tests and modules that take longer than `patience` times their limit."""
    modules: defaultdict[str, float] = defaultdict(float)
    for (module, test), taken in seconds.items():
        modules[module] += taken
        if taken > TEST_SECONDS * patience:
            line = f"slow test: {module}::{test} took {taken:.0f} s, at most {TEST_SECONDS:.0f}"
            yield Slow(module, line)
    for module, taken in modules.items():
        if taken > FILE_SECONDS * patience:
            line = f"slow file: {module} took {taken:.0f} s, at most {FILE_SECONDS:.0f}"
            yield Slow(module, line)


if __name__ == "__main__":
    main()
