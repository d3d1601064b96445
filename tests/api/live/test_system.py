"""Health in the words of existing clients: always 200, and every field that they read."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from dagster import DagsterInstance

from api.auth.keys import create_key
from api.auth.roles import Role
from api.dependencies import Services
from api.health.report import OrchestratorHealth, PartStatus
from api.health.system import WorkerStatus, _workers
from api.settings import Settings
from orchestration.dagster_internals.testing import DaemonHeartbeat
from pipelines.registry.devices import Device

pytestmark = pytest.mark.anyio

ADDRESS = "/api/v1/system/health"


async def test_every_field_that_clients_read_is_there(
    client: httpx.AsyncClient, add_run: Callable[..., Any], gpus: Any
) -> None:
    run = add_run()
    gpus.found = (Device("GPU-1", "NVIDIA H100", 80_000, 60_000),)
    answer = await client.get(ADDRESS)
    assert answer.status_code == 200
    health = answer.json()
    assert health["status"] in {"healthy", "degraded", "unhealthy"}
    assert {"version", "api_version", "timestamp"} <= health.keys()
    assert health["uptime_seconds"] >= 0
    assert health["gpu_status"] == {
        "available": True,
        "device_name": "NVIDIA H100",
        "memory_total": 80_000,
        "memory_used": 20_000,
        "memory_free": 60_000,
    }
    assert health["worker_info"] == {
        "active_jobs": 1,
        "queued_jobs": 0,
        "max_concurrent_jobs": 10,
        "worker_status": "busy",
    }
    assert health["workers"] == {
        "status": "busy",
        "active_jobs": 1,
        "processing_jobs": [run.run_id],
        "queued_jobs": 0,
        "max_concurrent_workers": 10,
    }
    assert health["diagnostics"]["database"]["status"] == "healthy"
    assert 0 <= health["diagnostics"]["storage"]["disk_usage_percent"] <= 100
    assert health["security"] == {"auth_required": False}


async def test_a_broken_part_makes_it_unhealthy_and_still_200(
    client: httpx.AsyncClient, wire: Any
) -> None:
    wire.is_cut = True
    answer = await client.get(ADDRESS)
    assert answer.status_code == 200
    assert answer.json()["status"] == "unhealthy"


async def test_a_driver_that_fails_only_degrades(
    client: httpx.AsyncClient, gpus: Any, instance: DagsterInstance
) -> None:
    for daemon in instance.get_required_daemon_types():
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time(), daemon, None, []))
    gpus.error = "GPU is lost"
    health = (await client.get(ADDRESS)).json()
    assert health["status"] == "degraded"
    assert health["gpu_status"]["available"] is False


async def test_who_has_no_key_learns_no_job_ids_and_asks_dagster_at_most_every_two_seconds(
    services_with: Callable[..., Services],
    open_app: Callable[..., Any],
    settings: Settings,
    add_run: Callable[..., Any],
    wire: Any,
) -> None:
    add_run()
    services = services_with(settings=settings.model_copy(update={"auth": "on"}))
    async with open_app(services) as client:
        health = (await client.get(ADDRESS)).json()
        asked = wire.questions
        for _ in range(20):
            await client.get(ADDRESS)
        assert wire.questions == asked
        _record, key = create_key(services.database, role=Role.READER, name="viewer")
        seen = (await client.get(ADDRESS, headers={"Authorization": f"Bearer {key}"})).json()
    assert health["workers"]["active_jobs"] == 1
    assert health["workers"]["processing_jobs"] == []
    assert health["security"] == {"auth_required": True}
    assert len(seen["workers"]["processing_jobs"]) == 1


@pytest.mark.parametrize(
    ("running", "queued", "limit", "status"),
    [
        (0, 0, 4, WorkerStatus.IDLE),
        (1, 0, 4, WorkerStatus.BUSY),
        (0, 1, 4, WorkerStatus.BUSY),
        (4, 5, 4, WorkerStatus.OVERLOADED),
        (9, 9, None, WorkerStatus.BUSY),
        (None, None, None, WorkerStatus.IDLE),
    ],
)
def test_how_busy_the_workers_are(
    running: int | None, queued: int | None, limit: int | None, status: WorkerStatus
) -> None:
    orchestrator = OrchestratorHealth(
        status=PartStatus.OK,
        version="1",
        daemons=[],
        queued=queued,
        running=running,
        run_limit=limit,
        error=None,
    )
    assert _workers(orchestrator, []).status is status


async def test_the_plain_address_answers_too(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "healthy"
    assert answer.json()["api_version"] == "v1"
