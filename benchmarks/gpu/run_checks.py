"""Runs that lease the GPU: two at once, one that waits, and how its memory comes back."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from dagster import DagsterRunStatus

from benchmarks.gpu.result import Check, Result
from benchmarks.gpu.runs import HoldRun, Runs
from contracts.run import FAILURE_TAG, RELEASE_TAG

#: What a run is to hold, in bytes.
_COUNT = 1_000_000_000


@dataclass(frozen=True)
class RunChecks:
    runs: Runs

    def checks(self) -> Iterator[Check]:
        yield "start after the fork", self._start
        yield "two runs on one GPU", self._two_at_once
        yield "a run waits for memory that another program holds", self._waiting
        yield (
            "cancel, listening",
            partial(self._back, "when told", self.runs.cancel, DagsterRunStatus.CANCELED),
        )
        yield (
            "cancel, swallowing every signal",
            partial(self._back, "never", self.runs.cancel, DagsterRunStatus.CANCELED),
        )
        yield (
            "SIGKILL of the worker",
            partial(self._back, "when told", self._kill, DagsterRunStatus.FAILURE),
        )

    def _start(self) -> Iterator[Result]:
        """CUDA starts in the worker, after two forks."""
        started = time.perf_counter()
        run = self.runs.launch(_COUNT, "when told")
        self.runs.wait_until_held(run, _COUNT)
        seconds = time.perf_counter() - started
        self.runs.cancel(run)
        status, _tags = self.runs.wait_for_end(run)
        yield Result(
            "CUDA in the worker",
            f"{seconds:.2f} s from the launch until the memory is held",
            passed=status is DagsterRunStatus.CANCELED,
            numbers={"seconds": seconds},
        )

    def _two_at_once(self) -> Iterator[Result]:
        both = [self.runs.launch(_COUNT, "when told") for _ in range(2)]
        for run in both:
            self.runs.wait_until_held(run, _COUNT)
        held = [self.runs.held(run) for run in both]
        third = self.runs.launch(_COUNT)
        for run in both:
            self.runs.cancel(run)
            self.runs.wait_for_end(run)
        yield Result(
            "by lease",
            f"held {held[0] / 1e6:.0f} and {held[1] / 1e6:.0f} MB; a third: {third.reason}",
            passed=min(held) >= _COUNT and "already runs 2" in third.reason,
        )

    def _waiting(self) -> Iterator[Result]:
        free = self.runs.target.device.memory_free
        with self.runs.target.hog(free - _COUNT):
            waiting = self.runs.launch(_COUNT)
        run = self.runs.launch(_COUNT)
        status, _tags = self.runs.wait_for_end(run)
        yield Result(
            "it says why",
            f"{waiting.reason} Then it ran.",
            passed="are free on" in waiting.reason and status is DagsterRunStatus.SUCCESS,
        )

    def _kill(self, run: HoldRun) -> None:
        self.runs.worker(run).kill()

    def _back(
        self, stops: str, end: Callable[[HoldRun], None], expected: DagsterRunStatus
    ) -> Iterator[Result]:
        """Until the driver lists nothing of the run and the memory is back."""
        free = self.runs.target.device.memory_free
        run = self.runs.launch(_COUNT, stops)
        self.runs.wait_until_held(run, _COUNT)
        tree = self.runs.tree(run)
        started = time.perf_counter()
        end(run)
        self.runs.target.wait_for_free(free - _COUNT // 10)
        back = time.perf_counter() - started
        status, tags = self.runs.wait_for_end(run)
        told = time.perf_counter() - started
        left = sorted(set(tree) & self.runs.target.inventory.held(self.runs.target.uuid).keys())
        release = json.loads(tags.get(RELEASE_TAG, "{}"))
        reason = json.loads(tags.get(FAILURE_TAG, "{}")).get("code", "")
        yield Result(
            "its memory is back",
            f"after {back:.2f} s, told after {told:.2f} s: {status.value} {reason}".rstrip(),
            passed=status is expected
            and not left
            and (bool(release.get("released")) or expected is DagsterRunStatus.FAILURE),
            numbers={
                "back_seconds": back,
                "told_seconds": told,
                "proven_bytes": release.get("held_bytes"),
            },
        )
