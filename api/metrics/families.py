"""Gauges whose value is known at the scrape only."""

from collections.abc import Callable, Iterable

from prometheus_client.metrics_core import GaugeMetricFamily

from pipelines.registry.devices import Device


def gauge(name: str, documentation: str, value: float, *, unit: str = "") -> GaugeMetricFamily:
    return GaugeMetricFamily(name, documentation, value=value, unit=unit)


def gauge_by_device(
    name: str,
    documentation: str,
    devices: Iterable[Device],
    value: Callable[[Device], float],
    *,
    unit: str = "",
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, documentation, labels=["uuid", "name"], unit=unit)
    for device in devices:
        family.add_metric([device.uuid, device.name], value(device))
    return family
