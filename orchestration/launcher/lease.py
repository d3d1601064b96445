"""Which run may use which GPU: a lease is a locked file, so the kernel gives it back for us."""

import fcntl
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from contracts.home import Home
from orchestration.launcher.paths import leases
from pipelines.registry.devices import Device, Inventory


@dataclass(frozen=True)
class Lease:
    """The right of a run to use `memory` bytes of the device; `pid` is who holds it."""

    run_id: str
    uuid: str
    memory: int
    pid: int = 0


@dataclass(frozen=True)
class Wait:
    """Why no device can be leased now."""

    reason: str


@dataclass(frozen=True)
class DeviceState:
    """A device with what is promised to runs (`leased`), and whether it may be leased at all.

    `free` is the memory in bytes that is neither held by anybody nor promised.
    """

    device: Device
    free: int
    leased: int
    in_service: bool = True


def choose_device(states: Sequence[DeviceState], memory: int, slots: int) -> Device | Wait:
    """The device with the most free memory that fits, or why the run has to wait."""
    usable = [state for state in states if state.in_service]
    if not usable:
        return Wait("Every GPU is out of service until its memory is free again.")
    open_slots = [state for state in usable if state.leased < slots]
    if not open_slots:
        return Wait(f"Every GPU already runs {slots} job(s).")
    best = max(open_slots, key=lambda state: state.free)
    if best.free < memory:
        return Wait(
            f"Needs about {_gib(memory)} of GPU memory; {_gib(best.free)} are free "
            f"on {best.device.name}."
        )
    return best.device


def device_states(home: Home, inventory: Inventory) -> list[DeviceState]:
    """What each device here has left; raises InventoryError."""
    held_leases = read_leases(home)
    return [
        _state(
            device,
            [lease for lease in held_leases if lease.uuid == device.uuid],
            inventory.held(device.uuid),
            in_service=not home.out_of_service(device.uuid).exists(),
        )
        for device in inventory.devices()
    ]


def read_leases(home: Home) -> list[Lease]:
    """The leases that are held; files that nobody holds are removed."""
    return [lease for path in sorted(leases(home).glob("*.json")) if (lease := _read(path))]


def acquire(home: Home, lease: Lease) -> int:
    """A file descriptor that holds the lease, here and in everything forked from here.

    The lease ends when the last process that has the descriptor closes it or ends.
    """
    path = _path(home, lease.run_id)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    fcntl.flock(file, fcntl.LOCK_EX)
    write(file, lease)
    return file


def give_back(home: Home, run_id: str) -> None:
    """Ends the lease before its holder ends."""
    _path(home, run_id).unlink(missing_ok=True)


def write(file: int, lease: Lease) -> None:
    """Says what the lease is of, and who holds it now."""
    os.ftruncate(file, 0)
    os.pwrite(file, json.dumps([lease.uuid, lease.memory, lease.pid]).encode(), 0)


def _path(home: Home, run_id: str) -> Path:
    return leases(home) / f"{run_id}.json"


def _read(path: Path) -> Lease | None:
    with suppress(FileNotFoundError, ValueError), path.open() as file:
        if _is_free(file.fileno()):
            path.unlink(missing_ok=True)
            return None
        uuid, memory, pid = json.load(file)
        return Lease(path.stem, uuid, memory, pid)
    return None


def _is_free(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _state(
    device: Device, held_leases: Sequence[Lease], held: Mapping[int, int], *, in_service: bool
) -> DeviceState:
    promised = sum(max(0, lease.memory - _held_by(lease, held)) for lease in held_leases)
    return DeviceState(device, device.memory_free - promised, len(held_leases), in_service)


def _held_by(lease: Lease, held: Mapping[int, int]) -> int:
    """What the lease's run holds already, and so is missing from the free memory."""
    try:
        tree = psutil.Process(lease.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return 0
    return sum(held.get(process.pid, 0) for process in tree)


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
