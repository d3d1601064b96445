"""Where a run goes, and what is left for the next one."""

import os
from pathlib import Path
from typing import Any

import pytest

from contracts.home import Home
from orchestration.launcher.capacity import Capacity
from orchestration.launcher.lease import PROCESSOR, DeviceState, Lease, Wait, acquire
from orchestration.launcher.resource_request import ResourceRequest
from pipelines.registry.devices import Device, InventoryError

GIB = 2**30
SMALL = Device("GPU-small", "Small", 8 * GIB, 8 * GIB)
LARGE = Device("GPU-large", "Large", 24 * GIB, 20 * GIB)
#: A run of a pipeline for GPUs that was told to use the processor.
ON_PROCESSOR = ResourceRequest(0, 5.0, takes_slot=True)
LIGHT = ResourceRequest(0, 5.0, takes_slot=False)


def _capacity(
    *gpus: DeviceState, cpu_leased: int = 0, gpu_slots: int = 1, cpu_slots: int = 1
) -> Capacity:
    return Capacity(gpus, cpu_leased, gpu_slots, cpu_slots)


def _state(device: Device, *, free: int, leased: int = 0, in_service: bool = True) -> DeviceState:
    return DeviceState(device, free, leased, in_service)


def _needs(memory: int) -> ResourceRequest:
    return ResourceRequest(memory, 5.0, takes_slot=True)


def test_the_device_with_the_most_free_memory_is_chosen() -> None:
    capacity = _capacity(_state(SMALL, free=8 * GIB), _state(LARGE, free=20 * GIB))

    assert capacity.place(_needs(2 * GIB)) is LARGE


def test_a_run_that_does_not_fit_waits_and_is_told_the_numbers() -> None:
    placed = _capacity(_state(SMALL, free=GIB)).place(_needs(2 * GIB))

    assert placed == Wait("Needs about 2.0 GiB of GPU memory; 1.0 GiB are free on Small.")


def test_a_device_whose_slots_are_taken_is_passed_over() -> None:
    capacity = _capacity(_state(SMALL, free=8 * GIB), _state(LARGE, free=20 * GIB, leased=1))

    assert capacity.place(_needs(GIB)) is SMALL


def test_a_run_waits_while_every_slot_is_taken() -> None:
    capacity = _capacity(_state(SMALL, free=8 * GIB, leased=2), gpu_slots=2)

    assert capacity.place(_needs(GIB)) == Wait("Waiting: every GPU already runs 2 job(s).")


def test_a_device_out_of_service_is_never_chosen() -> None:
    placed = _capacity(_state(SMALL, free=8 * GIB, in_service=False)).place(_needs(GIB))

    assert placed == Wait("Waiting: every GPU is out of service until its memory is free again.")


def test_a_run_takes_its_memory_and_its_slot_from_the_next_one() -> None:
    capacity = _capacity(_state(SMALL, free=8 * GIB), gpu_slots=2)

    capacity = capacity.without(SMALL, _needs(6 * GIB))

    assert isinstance(capacity.place(_needs(4 * GIB)), Wait)
    assert capacity.place(_needs(2 * GIB)) is SMALL
    capacity = capacity.without(SMALL, _needs(2 * GIB))
    assert capacity.place(_needs(0 * GIB + 1)) == Wait("Waiting: every GPU already runs 2 job(s).")


def test_without_a_gpu_the_processors_slots_count() -> None:
    capacity = _capacity(cpu_slots=1)

    assert capacity.place(_needs(GIB)) is PROCESSOR
    capacity = capacity.without(PROCESSOR, _needs(GIB))
    assert capacity.place(_needs(GIB)) == Wait(
        "Waiting: 1 job(s) already use all cores of the processor."
    )


def test_a_run_that_asks_for_the_processor_takes_no_gpus_slot() -> None:
    capacity = _capacity(_state(SMALL, free=8 * GIB))

    assert capacity.place(ON_PROCESSOR) is PROCESSOR
    capacity = capacity.without(PROCESSOR, ON_PROCESSOR)
    assert isinstance(capacity.place(ON_PROCESSOR), Wait)
    assert capacity.place(_needs(GIB)) is SMALL


def test_a_run_that_never_uses_a_gpu_waits_for_nothing() -> None:
    capacity = _capacity(_state(SMALL, free=0, leased=1), cpu_leased=1)

    assert capacity.place(LIGHT) is None


def test_while_the_driver_does_not_answer_only_who_needs_it_waits(
    tmp_path: Path, inventory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise InventoryError("Driver/library version mismatch")

    monkeypatch.setattr(inventory, "devices", fail)

    capacity = Capacity.now(Home(tmp_path), inventory, gpu_slots=1, cpu_slots=1)

    assert capacity.place(_needs(GIB)) == Wait(
        "The GPU driver does not answer: Driver/library version mismatch"
    )
    assert capacity.place(ON_PROCESSOR) is PROCESSOR
    assert capacity.place(LIGHT) is None


def test_leases_on_the_processor_count_against_its_slots(tmp_path: Path, inventory: Any) -> None:
    home = Home(tmp_path)
    held = acquire(home, Lease("run", PROCESSOR.uuid, 0, 1))

    capacity = Capacity.now(home, inventory, gpu_slots=1, cpu_slots=1)

    os.close(held)
    assert isinstance(capacity.place(ON_PROCESSOR), Wait)
