"""The GPUs as gauges: memory, leases, and whether they are in service."""

from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from api.dagster.observer import Activity
from api.metrics.families import gauge, gauge_by_device
from api.metrics.snapshot import Snapshot
from contracts.run import DEVICE_TAG


def device_families(snapshot: Snapshot) -> Iterator[Metric]:
    yield gauge(
        "framegate_device_driver_up",
        "Whether the GPU driver answers in time; a machine without a GPU is fine.",
        float(snapshot.devices is not None),
    )
    devices = snapshot.devices or ()
    yield gauge_by_device(
        "framegate_device_memory_size",
        "The device's memory.",
        devices,
        lambda device: device.memory_total,
        unit="bytes",
    )
    yield gauge_by_device(
        "framegate_device_memory_free",
        "Memory that nobody holds.",
        devices,
        lambda device: device.memory_free,
        unit="bytes",
    )
    yield gauge_by_device(
        "framegate_device_memory_used",
        "Memory that anybody holds, other programs included.",
        devices,
        lambda device: device.memory_total - device.memory_free,
        unit="bytes",
    )
    yield gauge_by_device(
        "framegate_device_utilization",
        "How busy the device is, from 0 to 1, where that is known.",
        [device for device in devices if device.utilization is not None],
        lambda device: (device.utilization or 0) / 100,
        unit="ratio",
    )
    yield gauge_by_device(
        "framegate_device_in_service",
        "Whether runs are given this device.",
        devices,
        lambda device: float(device.uuid not in snapshot.out_of_service),
    )
    if snapshot.activity:
        leases = _leases(snapshot.activity)
        yield gauge_by_device(
            "framegate_device_leases",
            "Runs under way that were given this device.",
            devices,
            lambda device: leases[device.uuid],
        )


def _leases(activity: Activity) -> Counter[str]:
    """By uuid, which is the last word of the tag."""
    tags = (run.tags.get(DEVICE_TAG, "") for run in activity.running)
    return Counter(tag.split()[-1] for tag in tags if tag.strip())
