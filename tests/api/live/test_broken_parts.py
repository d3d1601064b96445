"""Each part is broken on purpose, and the detailed health names it."""

import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.schema import DropSchema

from api.dependencies import Services
from api.settings import Settings
from pipelines.registry.catalog import BrokenEntry, Catalog, load_catalog

pytestmark = pytest.mark.anyio

DETAILED = "/api/v1/health?detailed=true"
GIGABYTE = 1000**3


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
        "SENSOR: The daemon has sent no heartbeat for 30"
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
