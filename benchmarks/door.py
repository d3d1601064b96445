"""What the door costs: a page of the Dagster UI over its socket, and through the door.

    python -m benchmarks.door --rounds 30

A page is what a browser gets to show the list of runs: the document, its scripts, two questions.
Both ways take turns, so that what else the machine does falls on both alike.
"""

import argparse
import re
import statistics
import time
from collections.abc import Sequence

import httpx
from rich.console import Console
from rich.table import Table

from benchmarks.running_stack import running_stack
from contracts.door import DAGSTER_PREFIX

_QUESTIONS = (
    "{ runsOrError(limit: 25) { ... on Runs { results { id status tags { key value } } } } }",
    "{ instance { daemonHealth { allDaemonStatuses { daemonType healthy } } } }",
)
_SCRIPT = re.compile(rf'src="{DAGSTER_PREFIX}(/_next/[^"]+)"')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    with running_stack() as stack:
        ways = {"socket": (stack.dagster, ""), "door": (stack.rest, DAGSTER_PREFIX)}
        scripts = _SCRIPT.findall(stack.rest.get(f"{DAGSTER_PREFIX}/runs").text)
        parts = {"document": ["/runs"], "scripts": scripts, "questions": []}
        took: dict[tuple[str, str], list[float]] = {}
        for turn in range(rounds + 1):
            for way, (client, prefix) in ways.items():
                for part, paths in parts.items():
                    seconds = _fetch(client, prefix, paths)
                    if turn:  # the first round warms up
                        took.setdefault((part, way), []).append(seconds)
    _show(took, list(parts))


def _fetch(client: httpx.Client, prefix: str, paths: Sequence[str]) -> float:
    """Without paths, the questions."""
    started = time.perf_counter()
    for path in paths:
        client.get(f"{prefix}{path}").raise_for_status()
    for question in () if paths else _QUESTIONS:
        client.post(f"{prefix}/graphql", json={"query": question}).raise_for_status()
    return time.perf_counter() - started


def _show(took: dict[tuple[str, str], list[float]], parts: Sequence[str]) -> None:
    table = Table("part", "socket ms", "door ms", "ratio")
    totals = [0.0, 0.0]
    for part in parts:
        direct, through = (1000 * statistics.median(took[part, way]) for way in ("socket", "door"))
        totals = [totals[0] + direct, totals[1] + through]
        table.add_row(part, f"{direct:.1f}", f"{through:.1f}", f"{through / direct:.2f}")
    table.add_row("page", *(f"{total:.1f}" for total in totals), f"{totals[1] / totals[0]:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
