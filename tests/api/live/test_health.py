"""Health when all is well: the basic answer for everybody, the detailed one for who has a key."""

import os
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.auth.keys import create_key
from api.auth.roles import Role
from api.dependencies import Services
from api.settings import Settings
from contracts.lock_file import lock
from pipelines.registry.catalog import load_catalog
from pipelines.registry.devices import Device

pytestmark = pytest.mark.anyio

DETAILED = "/api/v1/health?detailed=true"
GIGABYTE = 1000**3
H100 = Device("GPU-1", "NVIDIA H100", 80 * GIGABYTE, 60 * GIGABYTE, 7)


async def test_basic_health_touches_nothing(client: httpx.AsyncClient, wire: Any) -> None:
    wire.is_cut = True
    answer = await client.get("/api/v1/health")
    assert answer.status_code == 200
    assert answer.json().keys() == {"status", "version", "timestamp"}
    assert answer.json()["status"] == "ok"
    assert wire.questions == 0


async def test_basic_health_looks_at_no_key(
    services_with: Callable[..., Services], open_app: Callable[..., Any], settings: Settings
) -> None:
    """So it needs no database, and a load balancer with an old key locks nobody out."""
    services = services_with(settings=settings.model_copy(update={"auth": "on"}))
    async with open_app(services) as client:
        _record, secret = create_key(services.database, role=Role.READER, name="somebody")
        for number in range(30):
            wrong = {"X-API-Key": f"fg_wrong{number}"}
            for query in ({}, {"detailed": "false"}):
                answer = await client.get("/api/v1/health", params=query, headers=wrong)
                assert answer.status_code == 200
        seen = await client.get("/api/v1/jobs", headers={"X-API-Key": secret})
        assert seen.status_code == 200


async def test_all_parts_are_told_when_all_is_well(
    client: httpx.AsyncClient, beat: Callable[..., None], add_run: Callable[..., Any], gpus: Any
) -> None:
    beat()
    add_run()
    gpus.found = (H100,)
    answer = await client.get(DETAILED)
    assert answer.status_code == 200, answer.text
    report = answer.json()
    details = report.pop("details")
    assert report["status"] == "ok"
    assert details["database"] | {"schema_version": ""} == {
        "status": "ok",
        "schema_version": "",
        "jobs_count": 1,
        "error": None,
    }
    assert details["storage"]["total_gb"] > 0
    assert details["gpu"]["devices"] == [
        {
            "name": "NVIDIA H100",
            "memory_total_gb": 80.0,
            "memory_free_gb": 60.0,
            "uuid": "GPU-1",
            "utilization": 7,
            "in_service": True,
        }
    ]
    assert details["registry"]["pipelines_loaded"] == len(load_catalog().cards)
    assert details["orchestrator"]["running"] == 1
    assert all(daemon["healthy"] for daemon in details["orchestrator"]["daemons"])


async def test_no_gpu_is_healthy(client: httpx.AsyncClient, beat: Callable[..., None]) -> None:
    beat()
    answer = await client.get(DETAILED)
    assert answer.status_code == 200
    assert answer.json()["details"]["gpu"] == {
        "available": False,
        "device_count": 0,
        "devices": [],
        "error": None,
    }


async def test_a_device_out_of_service_is_shown_as_such(
    client: httpx.AsyncClient, services_with: Callable[..., Services], gpus: Any
) -> None:
    gpus.found = (H100,)
    mark = lock(services_with().home.out_of_service(H100.uuid) / "run.json")
    (device,) = (await client.get(DETAILED)).json()["details"]["gpu"]["devices"]
    os.close(mark)
    assert device["in_service"] is False


async def test_only_the_basic_answer_is_for_everybody(
    services_with: Callable[..., Services], open_app: Callable[..., Any], settings: Settings
) -> None:
    services = services_with(settings=settings.model_copy(update={"auth": "on"}))
    async with open_app(services) as client:
        _record, key = create_key(services.database, role=Role.READER, name="watcher")
        assert (await client.get("/api/v1/health")).status_code == 200
        assert (await client.get(DETAILED)).status_code == 401
        assert (await client.get(DETAILED, headers={"X-API-Key": "fg_wrong"})).status_code == 401
        seen = await client.get(DETAILED, headers={"X-API-Key": key})
        assert seen.status_code in {200, 503}
        assert "details" in seen.json()


async def test_who_is_refused_the_detailed_answer_is_told_why(
    services_with: Callable[..., Services], open_app: Callable[..., Any], settings: Settings
) -> None:
    async with open_app(services_with()) as client:
        foreign = await client.get(DETAILED, headers={"Host": "evil.example"})
    assert (foreign.status_code, foreign.json()["error"]["code"]) == (403, "FORBIDDEN")

    async with open_app(
        services_with(settings=settings.model_copy(update={"auth": "on"}))
    ) as client:
        for number in range(20):
            await client.get(DETAILED, headers={"X-API-Key": f"fg_wrong{number}"})
        guessing = await client.get(DETAILED, headers={"X-API-Key": "fg_wrong"})
    assert (guessing.status_code, guessing.json()["error"]["code"]) == (429, "RATE_LIMITED")
    assert int(guessing.headers["Retry-After"]) > 0


@pytest.mark.parametrize("value", ["maybe", "2", ""])
async def test_what_is_no_boolean_is_refused(client: httpx.AsyncClient, value: str) -> None:
    answer = await client.get("/api/v1/health", params={"detailed": value})
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "detailed"
