import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from contracts.home import Home
from orchestration.launcher.lease import (
    Lease,
    acquire,
    device_states,
    read_leases,
)
from orchestration.launcher.release import out_of_service
from pipelines.registry.devices import Device

GIB = 2**30
SMALL = Device("GPU-small", "Small", 8 * GIB, 8 * GIB)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


def test_memory_promised_but_not_yet_held_is_not_free(home: Home, inventory: Any) -> None:
    inventory.present = (SMALL,)
    file = acquire(home, Lease("run", SMALL.uuid, 3 * GIB, os.getpid()))

    (state,) = device_states(home, inventory, read_leases(home))
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

    (state,) = device_states(home, inventory, read_leases(home))
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


def test_a_lease_of_the_last_attempt_keeps_the_next_one_from_it(home: Home) -> None:
    lease = Lease("run", SMALL.uuid, GIB, 1)
    file = acquire(home, lease)

    with pytest.raises(BlockingIOError):
        acquire(home, lease)

    os.close(file)
    os.close(acquire(home, lease))


def test_a_device_is_out_of_service_while_any_run_waits_for_its_memory(
    home: Home, inventory: Any
) -> None:
    inventory.present = (SMALL,)

    def in_service() -> bool:
        (state,) = device_states(home, inventory, [])
        return state.in_service

    with out_of_service(home, SMALL.uuid, "run"):
        with out_of_service(home, SMALL.uuid, "other"):
            assert not in_service()
        assert not in_service()
    assert in_service()


def test_a_device_is_back_in_service_when_who_waited_was_killed(home: Home, inventory: Any) -> None:
    inventory.present = (SMALL,)
    pid = os.fork()
    if pid == 0:
        with out_of_service(home, SMALL.uuid, "run"):
            os._exit(0)
    os.waitpid(pid, 0)

    (state,) = device_states(home, inventory, [])

    assert state.in_service
    assert not list(home.out_of_service(SMALL.uuid).iterdir())
