"""Which run may use which device: a lease is a lock file, which the kernel frees by itself."""

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from contracts.home import Home
from contracts.lock_file import lock, locked_files
from orchestration.launcher.paths import leases
from pipelines.registry.devices import Device, Inventory

#: What a run that could use a GPU leases where it is given none: a slot on all the cores.
PROCESSOR = Device("cpu", "the processor", 0, 0)


@dataclass(frozen=True)
class Lease:
    """The right of a run to use `memory` bytes of the device; `pid` is who holds it."""

    run_id: str
    uuid: str
    memory: int
    pid: int = 0

    @property
    def gpu(self) -> str | None:
        """The UUID of the leased GPU."""
        return None if self.uuid == PROCESSOR.uuid else self.uuid


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


def device_states(
    home: Home, inventory: Inventory, held_leases: Sequence[Lease]
) -> list[DeviceState]:
    """What each GPU here has left; raises InventoryError."""
    return [
        _state(
            device,
            [lease for lease in held_leases if lease.uuid == device.uuid],
            inventory.held(device.uuid),
            in_service=not locked_files(home.out_of_service(device.uuid)),
        )
        for device in inventory.devices()
    ]


def read_leases(home: Home) -> list[Lease]:
    """The leases that are held."""
    return [lease for path in locked_files(leases(home)) if (lease := _read(path))]


def is_leased(home: Home, run_id: str) -> bool:
    """Whether anything of the run still holds its lease."""
    return _path(home, run_id) in locked_files(leases(home))


def acquire(home: Home, lease: Lease) -> int:
    """A file descriptor that holds the lease, here and in everything forked from here.

    The lease ends when the last process that has the descriptor closes it or ends. Raises
    BlockingIOError while something of the run's last attempt holds it.
    """
    file = lock(_path(home, lease.run_id))
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
    with suppress(FileNotFoundError, ValueError):
        uuid, memory, pid = json.loads(path.read_text())
        return Lease(path.stem, uuid, memory, pid)
    return None


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
