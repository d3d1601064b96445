"""The GPUs, as the driver sees them, and which of them runs are given."""

from api.health.deadline import Deadline, ProbeError
from api.health.report import DeviceHealth, GpuHealth
from api.units import GIGABYTE
from contracts.home import Home
from contracts.lock_file import locked_files
from pipelines.registry.devices import Device, Inventory


async def probe_gpu(inventory: Inventory, home: Home, deadline: Deadline) -> GpuHealth:
    try:
        devices = await deadline.call(
            "gpu", lambda: [_device(device, home) for device in inventory.devices()]
        )
    except ProbeError as error:
        return GpuHealth(available=False, device_count=0, devices=[], error=str(error))
    return GpuHealth(
        available=bool(devices), device_count=len(devices), devices=devices, error=None
    )


def _device(device: Device, home: Home) -> DeviceHealth:
    return DeviceHealth(
        name=device.name,
        memory_total_gb=round(device.memory_total / GIGABYTE, 2),
        memory_free_gb=round(device.memory_free / GIGABYTE, 2),
        uuid=device.uuid,
        utilization=device.utilization,
        in_service=not locked_files(home.out_of_service(device.uuid)),
    )
