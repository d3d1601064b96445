"""Who starts now, who waits, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from dagster import DagsterRun

from orchestration.launcher.capacity import Capacity
from orchestration.launcher.lease import DeviceState
from orchestration.launcher.placement import Limit, Placement, place_runs
from orchestration.launcher.resource_request import ResourceRequest
from pipelines.registry.devices import Device

GIB = 2**30
GPU = Device("GPU-1", "One", 8 * GIB, 8 * GIB)
LIGHT = ResourceRequest(0, 5.0, takes_slot=False)
BIG = ResourceRequest(7 * GIB, 5.0, takes_slot=True)
SMALL = ResourceRequest(GIB, 5.0, takes_slot=True)


@dataclass
class OneAtATime:
    """A limit of Dagster's: one run at a time of those with this job name."""

    job_name: str
    running: int = 0

    def is_blocked(self, run: DagsterRun, /) -> bool:
        return run.job_name == self.job_name and self.running >= 1

    def update_counters_with_launched_item(self, run: DagsterRun, /) -> None:
        self.running += run.job_name == self.job_name


def _run(name: str) -> DagsterRun:
    return DagsterRun(job_name=name)


def _turns(
    *queue: tuple[str, ResourceRequest],
    most: int = 8,
    in_progress: int = 0,
    limits: Sequence[Limit] = (),
) -> Placement:
    capacity = Capacity([DeviceState(GPU, 8 * GIB, 0)], 0, gpu_slots=2, cpu_slots=1)
    runs = [(_run(name), need) for name, need in queue]
    return place_runs(runs, capacity, limits, most=most, in_progress=in_progress)


def _starting(turns: Placement) -> list[str]:
    return [run.job_name for run in turns.starting]


def _waiting(turns: Placement) -> dict[str, str]:
    return {run.job_name: reason for run, reason in turns.waiting}


def test_runs_that_do_not_fit_keep_nobody_behind_them_from_starting() -> None:
    unfitting = [(f"big {number}", BIG) for number in range(8)]

    turns = _turns(*unfitting, ("small", SMALL), ("light", LIGHT), most=3)

    assert _starting(turns) == ["big 0", "small", "light"]


def test_two_runs_that_fit_alone_but_not_together_do_not_start_together() -> None:
    turns = _turns(("first", BIG), ("second", BIG))

    assert _starting(turns) == ["first"]
    assert "Needs about 7.0 GiB" in _waiting(turns)["second"]


def test_a_run_for_which_there_is_no_room_says_so() -> None:
    turns = _turns(("first", LIGHT), ("second", LIGHT), most=8, in_progress=7)

    assert _starting(turns) == ["first"]
    assert _waiting(turns) == {"second": "Waiting: 8 of 8 jobs are running."}


def test_a_run_that_would_not_fit_if_there_were_room_is_told_that() -> None:
    turns = _turns(("first", BIG), ("second", BIG), most=1)

    assert "GPU memory" in _waiting(turns)["second"]


def test_a_run_that_waits_takes_nothing_of_dagsters_own_limits() -> None:
    """Dagster's own queue counts it as launched, and so blocks the next one."""
    limits = [Limit(OneAtATime("limited"), "One at a time.")]

    turns = _turns(
        ("first", BIG), ("limited", BIG), ("limited", SMALL), ("limited", LIGHT), limits=limits
    )

    assert _starting(turns) == ["first", "limited"]
    assert [reason for _run, reason in turns.waiting][1:] == ["One at a time."]
