"""Placement: which queued runs start now, and what the others wait for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from dagster import DagsterRun

from orchestration.launcher.capacity import Capacity
from orchestration.launcher.lease import Wait
from orchestration.launcher.resource_request import ResourceRequest


class Counter(Protocol):
    """How Dagster counts runs against a limit of its own."""

    def is_blocked(self, run: DagsterRun, /) -> bool: ...

    def update_counters_with_launched_item(self, run: DagsterRun, /) -> None: ...


@dataclass(frozen=True)
class Limit:
    """One of Dagster's own, and what a run is told that waits for it."""

    counter: Counter
    reason: str


@dataclass(frozen=True)
class Placement:
    """Which runs start now, and what the others wait for; both in the order of the queue."""

    starting: tuple[DagsterRun, ...] = ()
    waiting: tuple[tuple[DagsterRun, str], ...] = ()


def place_runs(
    queue: Iterable[tuple[DagsterRun, ResourceRequest]],
    capacity: Capacity,
    limits: Sequence[Limit],
    *,
    most: int,
    in_progress: int,
) -> Placement:
    """In the order of the queue; a run that cannot start now takes nothing from those behind it.

    `most` is how many runs may be in progress at once.
    """
    starting: list[DagsterRun] = []
    waiting: list[tuple[DagsterRun, str]] = []
    for run, request in queue:
        placed = capacity.place(request)
        if isinstance(placed, Wait):
            waiting.append((run, placed.reason))
        elif reason := _reason_to_wait(run, limits):
            waiting.append((run, reason))
        elif in_progress + len(starting) >= most:
            waiting.append(
                (run, f"Waiting: {in_progress + len(starting)} of {most} jobs are running.")
            )
        else:
            starting.append(run)
            capacity = capacity.without(placed, request)
            for limit in limits:
                limit.counter.update_counters_with_launched_item(run)
    return Placement(tuple(starting), tuple(waiting))


def _reason_to_wait(run: DagsterRun, limits: Sequence[Limit]) -> str | None:
    return next((limit.reason for limit in limits if limit.counter.is_blocked(run)), None)
