"""`python -m tests.durations JUNIT.xml`: fails if a quick test or file of tests is slow.

A test may take twice its limit before the check fails, since machines differ; on one that is busy
with other things, longer still.
"""

import os
import sys
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

TEST_SECONDS = 20.0
FILE_SECONDS = 60.0
_SLACK = 2.0


def main() -> None:
    patience = max(_SLACK, os.getloadavg()[1] / (os.cpu_count() or 1))
    slow = list(too_slow(read(Path(sys.argv[1])), patience))
    if slow:
        sys.exit("\n".join([*slow, "Make them faster, or move them to tests/deep/."]))


def read(report: Path) -> Mapping[tuple[str, str], float]:
    """Seconds by file and test, of pytest's report in JUnit's format. Setting up does not count:
    what tests share is set up by whichever comes first.
    """
    cases = ET.parse(report).iter("testcase")  # noqa: S314 - pytest wrote it
    return {
        (case.get("classname", ""), case.get("name", "")): float(case.get("time", 0))
        for case in cases
    }


def too_slow(seconds: Mapping[tuple[str, str], float], patience: float) -> Iterator[str]:
    """A line for each test and file that takes longer than `patience` times its limit."""
    files: defaultdict[str, float] = defaultdict(float)
    for (file, test), taken in seconds.items():
        files[file] += taken
        if taken > TEST_SECONDS * patience:
            yield f"slow test: {file}::{test} took {taken:.0f} s, at most {TEST_SECONDS:.0f}"
    for file, taken in files.items():
        if taken > FILE_SECONDS * patience:
            yield f"slow file: {file} took {taken:.0f} s, at most {FILE_SECONDS:.0f}"


if __name__ == "__main__":
    main()
