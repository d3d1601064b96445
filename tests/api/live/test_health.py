"""Each part is broken on purpose, and the answer names it."""

import os
import re
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from dagster import DagsterInstance
from dagster._daemon.types import DaemonHeartbeat
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import DropSchema

from api.auth.keys import create_key
from api.auth.roles import Role
from api.dependencies import Services
from api.settings import Settings
from contracts.held_file import hold
from pipelines.registry.catalog import BrokenEntry, Catalog, load_catalog
from pipelines.registry.devices import Device

pytestmark = pytest.mark.anyio

DETAILED = "/api/v1/health?detailed=true"
GIGABYTE = 1000**3
H100 = Device("GPU-1", "NVIDIA H100", 80 * GIGABYTE, 60 * GIGABYTE, 7)


@pytest.fixture
def beat(instance: DagsterInstance) -> Callable[..., None]:
    """Lets all daemons but the `silent` have given a sign of life `age` seconds ago."""

    def beat(*, age: float = 1.0, silent: Sequence[str] = ()) -> None:
        for daemon in instance.get_required_daemon_types():
            if daemon not in silent:
                heartbeat = DaemonHeartbeat(time.time() - age, daemon, None, [])
                instance.add_daemon_heartbeat(heartbeat)

    return beat


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
    mark = hold(services_with().home.out_of_service(H100.uuid) / "run.json")
    (device,) = (await client.get(DETAILED)).json()["details"]["gpu"]["devices"]
    os.close(mark)
    assert device["in_service"] is False


async def test_a_driver_that_fails_is_named(
    client: httpx.AsyncClient, beat: Callable[..., None], gpus: Any
) -> None:
    beat()
    gpus.error = "GPU is lost"
    answer = await client.get(DETAILED)
    assert answer.status_code == 503
    assert answer.json()["status"] == "unhealthy"
    assert answer.json()["details"]["gpu"]["error"] == "GPU is lost"


async def test_a_webserver_that_is_down_is_named_and_the_other_parts_answer(
    client: httpx.AsyncClient, wire: Any
) -> None:
    wire.is_cut = True
    answer = await client.get(DETAILED)
    assert answer.status_code == 503
    details = answer.json()["details"]
    assert details["orchestrator"]["error"] == "Dagster cannot be reached."
    assert details["database"]["status"] == "ok"
    assert details["database"]["jobs_count"] is None


async def test_a_webserver_that_hangs_costs_no_more_than_its_deadline(
    services_with: Callable[..., Services],
    open_app: Callable[..., Any],
    settings: Settings,
    wire: Any,
) -> None:
    wire.delay = 60
    patient = services_with(settings=settings.model_copy(update={"probe_timeout": 0.3}))
    started = time.monotonic()
    async with open_app(patient) as client:
        answer = await client.get(DETAILED)
    assert time.monotonic() - started < 30
    assert answer.status_code == 503
    assert answer.json()["details"]["orchestrator"]["error"] == "No answer within 0.3 s"


async def test_a_daemon_that_stopped_is_named(
    client: httpx.AsyncClient, beat: Callable[..., None]
) -> None:
    beat(silent=["QUEUED_RUN_COORDINATOR"])
    answer = await client.get(DETAILED)
    assert answer.status_code == 503
    error = answer.json()["details"]["orchestrator"]["error"]
    assert error == "QUEUED_RUN_COORDINATOR: The daemon has never run"


async def test_a_daemon_that_has_been_silent_too_long_is_named(
    client: httpx.AsyncClient, beat: Callable[..., None]
) -> None:
    beat(age=300)
    answer = await client.get(DETAILED)
    assert answer.status_code == 503
    assert (
        "SENSOR: The daemon has been silent for 30"
        in (answer.json()["details"]["orchestrator"]["error"])
    )


async def test_a_database_that_is_gone_is_named(
    client: httpx.AsyncClient, beat: Callable[..., None], settings: Settings
) -> None:
    beat()
    if settings.database_url:
        with create_engine(settings.database_url, poolclass=NullPool).begin() as connection:
            connection.execute(DropSchema("framegate", cascade=True))
    else:
        shutil.rmtree(settings.paths.root)
        settings.paths.root.mkdir()
    answer = await client.get(DETAILED)
    assert answer.status_code == 503
    assert answer.json()["details"]["database"]["status"] == "error"
    assert re.search("no such table|does not exist", answer.json()["details"]["database"]["error"])


async def test_a_disk_that_is_gone_is_named(
    client: httpx.AsyncClient, beat: Callable[..., None], settings: Settings
) -> None:
    beat()
    shutil.rmtree(settings.paths.root)
    answer = await client.get(DETAILED)
    assert answer.status_code == 503
    assert str(settings.paths.root) in answer.json()["details"]["storage"]["error"]


@pytest.mark.parametrize(
    ("free", "status", "http_status"),
    [(5.1, "ok", 200), (5.0, "warning", 200), (1.0, "warning", 200), (0.9, "error", 503)],
)
async def test_free_space_decides_how_the_storage_is(
    client: httpx.AsyncClient,
    beat: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    *,
    free: float,
    status: str,
    http_status: int,
) -> None:
    beat()
    total = 100 * GIGABYTE
    left = int(free * GIGABYTE)
    usage = type(shutil.disk_usage(Path.cwd()))(total, total - left, left)
    monkeypatch.setattr(shutil, "disk_usage", lambda _root: usage)
    answer = await client.get(DETAILED)
    storage = answer.json()["details"]["storage"]
    assert (storage["status"], answer.status_code) == (status, http_status)
    assert bool(storage["warning"]) == (status == "warning")
    assert bool(storage["error"]) == (status == "error")


async def test_a_registry_entry_that_cannot_be_loaded_is_named(
    services_with: Callable[..., Services], open_app: Callable[..., Any], beat: Callable[..., None]
) -> None:
    beat()
    broken = BrokenEntry("pose", "ModuleNotFoundError: No module named 'pose'")
    catalog = Catalog(load_catalog().cards, (broken,))
    async with open_app(services_with(catalog=catalog)) as client:
        answer = await client.get(DETAILED)
        refused = await client.post(
            "/api/v1/pipelines/validate", json={"pipeline": "pose", "config": {}}
        )
    assert answer.status_code == 503
    registry = answer.json()["details"]["registry"]
    assert registry["error"] == "pose: ModuleNotFoundError: No module named 'pose'"
    assert registry["pipelines_loaded"] == len(load_catalog().cards)
    assert refused.status_code == 500
    assert refused.json()["error"]["code"] == "VALIDATION_ERROR"


async def test_a_preset_that_cannot_be_used_is_a_warning(
    services_with: Callable[..., Services], open_app: Callable[..., Any], beat: Callable[..., None]
) -> None:
    """It is named with what mends it, and nothing is unhealthy for it."""
    beat()
    services = services_with()
    services.home.presets.mkdir(parents=True)
    (services.home.presets / "good.yaml").write_text("pipelines: [scene_detection]\n")
    (services.home.presets / "bad.yaml").write_text("pipelines: [scene_detectoin]\n")
    async with open_app(services) as client:
        answer = await client.get(DETAILED)
    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    presets = answer.json()["details"]["presets"]
    [problem] = presets.pop("problems")
    assert presets == {
        "status": "warning",
        "presets_loaded": 1,
        "preset_names": ["good"],
        "warning": "These presets cannot be used: bad.yaml",
    }
    assert (problem["file"], problem["field"]) == ("bad.yaml", "pipelines.0")
    assert "Did you mean 'scene_detection'?" in problem["hint"]


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
