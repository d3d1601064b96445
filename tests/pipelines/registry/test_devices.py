"""What NVIDIA's driver says, and how: NVML's functions as pynvml has them, without a GPU."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from pipelines.registry.deadline import Deadline
from pipelines.registry.devices import Device, InventoryError, NvmlInventory


@dataclass
class Gpu:
    """A GPU as a handle stands for it; `mig` are its instances by index, None if it is whole."""

    uuid: str
    total: int = 80
    free: int = 60
    processes: dict[int, int | None] = field(default_factory=dict)
    mig: dict[int, "Gpu"] | None = None
    mig_error: int | None = None


@dataclass
class Driver:
    gpus: list[Gpu]
    starts: int = 0
    error: int | None = None

    def check(self) -> None:
        if self.error is not None:
            raise pynvml.NVMLError(self.error)

    def start(self) -> None:
        self.starts += 1
        self.check()

    def count(self) -> int:
        self.check()
        return len(self.gpus)

    def by_uuid(self, uuid: str) -> Gpu:
        self.check()
        parts = [part for gpu in self.gpus for part in (gpu.mig or {}).values()]
        found = [gpu for gpu in (*self.gpus, *parts) if gpu.uuid == uuid]
        if not found:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return found[0]

    def mig_mode(self, gpu: Gpu) -> list[int]:
        if gpu.mig_error is not None:
            raise pynvml.NVMLError(gpu.mig_error)
        if gpu.mig is None:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return [pynvml.NVML_DEVICE_MIG_ENABLE, pynvml.NVML_DEVICE_MIG_ENABLE]

    def mig_instance(self, gpu: Gpu, index: int) -> Gpu:
        self.check()
        if index not in (gpu.mig or {}):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return (gpu.mig or {})[index]

    def utilization(self, gpu: Gpu) -> Any:
        if gpu.uuid.startswith("MIG"):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return SimpleNamespace(gpu=50)


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Driver]:
    def install(*gpus: Gpu) -> Driver:
        driver = Driver(list(gpus))
        functions = {
            "nvmlInit": driver.start,
            "nvmlDeviceGetCount": driver.count,
            "nvmlDeviceGetHandleByIndex": lambda index: driver.gpus[index],
            "nvmlDeviceGetHandleByUUID": driver.by_uuid,
            "nvmlDeviceGetMigMode": driver.mig_mode,
            "nvmlDeviceGetMaxMigDeviceCount": lambda _gpu: 7,
            "nvmlDeviceGetMigDeviceHandleByIndex": driver.mig_instance,
            "nvmlDeviceGetMemoryInfo": lambda gpu: SimpleNamespace(total=gpu.total, free=gpu.free),
            "nvmlDeviceGetUtilizationRates": driver.utilization,
            "nvmlDeviceGetUUID": lambda gpu: gpu.uuid,
            "nvmlDeviceGetName": lambda _gpu: "NVIDIA H100",
            "nvmlDeviceGetComputeRunningProcesses": lambda gpu: [
                SimpleNamespace(pid=pid, usedGpuMemory=count)
                for pid, count in gpu.processes.items()
            ],
        }
        for name, function in functions.items():
            assert hasattr(pynvml, name)
            monkeypatch.setattr(pynvml, name, function)
        return driver

    return install


def test_a_gpu_is_told_with_its_memory(install: Callable[..., Driver]) -> None:
    install(Gpu("GPU-1"))

    assert NvmlInventory().devices() == (Device("GPU-1", "NVIDIA H100", 80, 60, 50),)


def test_a_divided_gpu_is_told_as_its_instances(install: Callable[..., Driver]) -> None:
    install(Gpu("GPU-1", mig={0: Gpu("MIG-a", 40, 30), 3: Gpu("MIG-b", 20, 20)}))

    assert NvmlInventory().devices() == (
        Device("MIG-a", "NVIDIA H100", 40, 30, None),
        Device("MIG-b", "NVIDIA H100", 20, 20, None),
    )


def test_an_error_while_instances_are_listed_does_not_make_one_whole_gpu_of_them(
    install: Callable[..., Driver],
) -> None:
    install(Gpu("GPU-1", mig={}, mig_error=pynvml.NVML_ERROR_UNKNOWN))

    with pytest.raises(InventoryError):
        NvmlInventory().devices()


def test_who_holds_memory_is_told_also_where_the_driver_does_not_say_how_much(
    install: Callable[..., Driver],
) -> None:
    install(Gpu("GPU-1", processes={10: 100, 11: None}))

    assert NvmlInventory().held("GPU-1") == {10: 100, 11: 0}


def test_a_machine_without_a_driver_has_no_gpu(install: Callable[..., Driver]) -> None:
    driver = install()
    driver.error = pynvml.NVML_ERROR_LIBRARY_NOT_FOUND

    assert NvmlInventory().devices() == ()
    assert NvmlInventory().held("GPU-1") == {}


def test_a_driver_that_fails_is_started_again_for_the_next_question(
    install: Callable[..., Driver],
) -> None:
    driver = install(Gpu("GPU-1"))
    inventory = NvmlInventory()
    assert inventory.devices()
    driver.error = pynvml.NVML_ERROR_GPU_IS_LOST

    with pytest.raises(InventoryError):
        inventory.held("GPU-1")

    driver.error = None
    assert inventory.devices()
    assert driver.starts == 2


def test_a_driver_of_another_version_than_its_library_is_an_error(
    install: Callable[..., Driver],
) -> None:
    driver = install(Gpu("GPU-1"))
    driver.error = pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH

    with pytest.raises(InventoryError, match="mismatch"):
        NvmlInventory().devices()


def test_a_driver_that_hangs_is_an_error_and_is_not_asked_again_meanwhile(
    install: Callable[..., Driver], monkeypatch: pytest.MonkeyPatch
) -> None:
    install(Gpu("GPU-1"))
    wakes, asked = threading.Event(), []

    def hang() -> int:
        asked.append(1)
        wakes.wait(60)
        return 1

    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", hang)
    inventory = NvmlInventory(Deadline(0.05))

    for _ in range(3):
        with pytest.raises(InventoryError, match="hangs"):
            inventory.devices()
    assert asked == [1]

    wakes.set()
