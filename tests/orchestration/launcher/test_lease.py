import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.home import Home
from orchestration.launcher.lease import (
    DeviceState,
    Lease,
    Wait,
    acquire,
    choose_device,
    device_states,
    read_leases,
)
from orchestration.launcher.release import take_out_of_service
from pipelines.registry.devices import Device

GIB = 2**30
SMALL = Device("GPU-small", "Small", 8 * GIB, 8 * GIB)
LARGE = Device("GPU-large", "Large", 24 * GIB, 20 * GIB)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def _state(device: Device, *, free: int, leased: int = 0, in_service: bool = True) -> DeviceState:
    return DeviceState(device, free, leased, in_service)


def test_the_device_with_the_most_free_memory_is_chosen() -> None:
    states = [_state(SMALL, free=8 * GIB), _state(LARGE, free=20 * GIB)]

    assert choose_device(states, memory=2 * GIB, slots=1) is LARGE


def test_a_run_that_does_not_fit_waits_and_is_told_the_numbers() -> None:
    choice = choose_device([_state(SMALL, free=GIB)], memory=2 * GIB, slots=1)

    assert choice == Wait("Needs about 2.0 GiB of GPU memory; 1.0 GiB are free on Small.")


def test_a_device_whose_slots_are_taken_is_passed_over() -> None:
    states = [_state(SMALL, free=8 * GIB), _state(LARGE, free=20 * GIB, leased=1)]

    assert choose_device(states, memory=GIB, slots=1) is SMALL


def test_a_run_waits_while_every_slot_is_taken() -> None:
    choice = choose_device([_state(SMALL, free=8 * GIB, leased=2)], memory=GIB, slots=2)

    assert choice == Wait("Every GPU already runs 2 job(s).")


def test_a_device_out_of_service_is_never_chosen() -> None:
    choice = choose_device([_state(SMALL, free=8 * GIB, in_service=False)], memory=GIB, slots=1)

    assert choice == Wait("Every GPU is out of service until its memory is free again.")


def test_memory_promised_but_not_yet_held_is_not_free(home: Home, inventory: Any) -> None:
    inventory.present = (SMALL,)
    file = acquire(home, Lease("run", SMALL.uuid, 3 * GIB, os.getpid()))

    (state,) = device_states(home, inventory)
    os.close(file)

    assert state.free == 5 * GIB
    assert state.leased == 1


def test_memory_that_a_leased_run_holds_already_is_not_counted_twice(
    home: Home, inventory: Any
) -> None:
    worker = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    inventory.present = (Device("GPU-small", "Small", 8 * GIB, 6 * GIB),)
    inventory.holders = {"GPU-small": {worker.pid: 2 * GIB}}
    file = acquire(home, Lease("run", "GPU-small", 3 * GIB, os.getpid()))

    (state,) = device_states(home, inventory)
    os.close(file)
    worker.communicate(b"\n")

    assert state.free == 5 * GIB


def test_a_lease_ends_with_the_process_that_holds_it(home: Home) -> None:
    pid = os.fork()
    if pid == 0:
        acquire(home, Lease("run", SMALL.uuid, GIB, os.getpid()))
        os._exit(0)
    os.waitpid(pid, 0)

    assert read_leases(home) == []
    assert not list((home.run / "leases").iterdir())


def test_a_lease_is_held_as_long_as_anything_forked_from_its_holder_lives(home: Home) -> None:
    file = acquire(home, Lease("run", SMALL.uuid, GIB, 1))
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(writer)
        os.read(reader, 1)
        os._exit(0)
    os.close(file)

    assert read_leases(home) == [Lease("run", SMALL.uuid, GIB, 1)]

    os.close(writer)
    os.waitpid(pid, 0)
    os.close(reader)
    assert read_leases(home) == []


def test_a_device_taken_out_of_service_says_so(home: Home, inventory: Any) -> None:
    inventory.present = (SMALL,)
    take_out_of_service(home, SMALL.uuid, "run", (4711,))

    (state,) = device_states(home, inventory)

    assert not state.in_service
