"""What GPUs this machine has, how much of their memory is free, and who holds the rest.

`Inventory` is the interface; `NvmlInventory` asks NVIDIA's driver through NVML. Importing this
module is cheap: the driver is first touched when an inventory is asked.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import pynvml

from pipelines.registry.deadline import Answer, Deadline

_ANSWER_SECONDS = 5.0


class InventoryError(Exception):
    """The driver is there but does not answer as it should."""


@dataclass(frozen=True)
class Device:
    """A GPU, or a MIG instance of one. Memory in bytes; `utilization` in percent, if known."""

    uuid: str
    name: str
    memory_total: int
    memory_free: int
    utilization: int | None = None


class Inventory(Protocol):
    def devices(self) -> tuple[Device, ...]:
        """Every device; empty on a machine without a GPU. Raises InventoryError."""
        ...

    def held(self, uuid: str) -> Mapping[int, int]:
        """Bytes held on the device by process id: 0 for a process that holds memory of which the
        driver does not say how much. Raises InventoryError.
        """
        ...


@dataclass
class NvmlInventory:
    """The real inventory. NVML is initialised on first use, and again after a driver error. A
    driver that hangs has failed.
    """

    deadline: Deadline = field(default_factory=lambda: Deadline(_ANSWER_SECONDS))
    _ready: bool = field(default=False, init=False)

    def devices(self) -> tuple[Device, ...]:
        return self._ask(_devices, nothing=())

    def held(self, uuid: str) -> Mapping[int, int]:
        return self._ask(partial(_held, uuid), nothing={})

    def _ask(self, question: Callable[[], Answer], nothing: Answer) -> Answer:
        """`nothing` is the answer where there is no driver."""
        try:
            return self.deadline.call(lambda: question() if self._start() else nothing)
        except pynvml.NVMLError as error:
            self._ready = False
            raise InventoryError(str(error)) from error
        except TimeoutError as error:
            raise InventoryError(f"The driver hangs: {error}") from error

    def _start(self) -> bool:
        """Whether there is a driver to ask; a machine without one is healthy and has no GPU."""
        if self._ready:
            return True
        try:
            pynvml.nvmlInit()
        except (pynvml.NVMLError_LibraryNotFound, pynvml.NVMLError_DriverNotLoaded):
            return False
        self._ready = True
        return True


def _devices() -> tuple[Device, ...]:
    count = pynvml.nvmlDeviceGetCount()
    handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
    return tuple(_device(part) for handle in handles for part in _instances(handle))


def _held(uuid: str) -> Mapping[int, int]:
    handle = pynvml.nvmlDeviceGetHandleByUUID(uuid)
    processes = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
    return {process.pid: process.usedGpuMemory or 0 for process in processes}


def _instances(handle: Any) -> list[Any]:
    """The MIG instances of a GPU that is divided, else the GPU itself."""
    try:
        enabled, _pending = pynvml.nvmlDeviceGetMigMode(handle)
    except (pynvml.NVMLError_NotSupported, pynvml.NVMLError_FunctionNotFound):
        return [handle]  # the GPU, or the driver, is older than MIG
    return _mig_instances(handle) if enabled == pynvml.NVML_DEVICE_MIG_ENABLE else [handle]


def _mig_instances(handle: Any) -> list[Any]:
    instances = []
    for index in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        with suppress(pynvml.NVMLError_NotFound):
            instances.append(pynvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, index))
    return instances


def _device(handle: Any) -> Device:
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
    utilization = None
    with suppress(pynvml.NVMLError):  # not available on MIG instances
        utilization = int(pynvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    return Device(
        uuid=pynvml.nvmlDeviceGetUUID(handle),
        name=pynvml.nvmlDeviceGetName(handle),
        memory_total=memory.total,
        memory_free=memory.free,
        utilization=utilization,
    )
