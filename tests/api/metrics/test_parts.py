"""What `/metrics` says of the parts: GPUs and their driver, Dagster, database and disk."""

import os
from typing import Any

import httpx
import pytest

from api.dependencies import Services
from contracts.lock_file import lock
from contracts.run import DEVICE_TAG, KIND, KIND_TAG
from tests.api.metrics.fake_gpu import Gpu
from tests.api.metrics.samples import value

pytestmark = pytest.mark.anyio


async def test_a_gpu_is_told_with_its_memory_and_leases(
    dagster: Any, services: Services, read: Any
) -> None:
    tags = {KIND_TAG: KIND, DEVICE_TAG: "NVIDIA H100 GPU-1"}
    dagster.add("face_detection", status="STARTED", tags=tags)
    device = {"uuid": "GPU-1", "name": "NVIDIA H100"}

    found = await read()
    mark = lock(services.home.out_of_service("GPU-1") / "run.json")
    later = await read()
    os.close(mark)

    assert value(found, "framegate_device_memory_size_bytes", **device) == 80
    assert value(found, "framegate_device_memory_free_bytes", **device) == 60
    assert value(found, "framegate_device_memory_used_bytes", **device) == 20
    assert value(found, "framegate_device_utilization_ratio", **device) == 0.5
    assert value(found, "framegate_device_leases", **device) == 1
    assert value(found, "framegate_device_in_service", **device) == 1
    assert value(later, "framegate_device_in_service", **device) == 0


async def test_a_driver_that_fails_is_told_and_nothing_else_suffers(gpu: Gpu, read: Any) -> None:
    gpu.is_broken = True

    found = await read()

    assert value(found, "framegate_device_driver_up") == 0
    assert not [name for name, _ in found if name.startswith("framegate_device_memory")]
    assert value(found, "framegate_orchestrator_up") == 1


async def test_the_scrape_answers_when_dagster_is_away(dagster: Any, read: Any) -> None:
    dagster.add("face_detection", status="STARTED")
    assert value(await read(), "framegate_orchestrator_up") == 1

    def nobody_is_there(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone", request=request)

    dagster.transport_reply = nobody_is_there
    found = await read()

    assert value(found, "framegate_orchestrator_up") == 0
    assert not [name for name, _ in found if name == "framegate_jobs"]
    assert value(found, "framegate_database_up") == 1
    free = value(found, "framegate_disk_free_bytes")
    size = value(found, "framegate_disk_size_bytes")
    assert free is not None
    assert size is not None
    assert 0 < free <= size
