"""What the endpoints answer to a client that was there before."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady

PARAMETER_TYPES = {"boolean", "string", "integer", "number", "enum", "multiselect", "object"}

pytestmark = pytest.mark.slow


def test_the_token_has_the_characters_that_clients_send(admin_key: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_.-]{8,}", admin_key)


def test_health_is_told_without_a_key(stack: StackReady) -> None:
    answer = httpx.get(f"{stack.url}/health", trust_env=False)
    assert answer.status_code == 200
    assert {"status", "api_version"} <= answer.json().keys()


def test_system_health_has_every_field(client: httpx.Client) -> None:
    answer = client.get("/api/v1/system/health")
    health = answer.json()
    assert answer.status_code == 200
    assert health["status"] in {"healthy", "degraded", "unhealthy"}
    assert {"version", "api_version", "timestamp", "uptime_seconds"} <= health.keys()
    assert set(health["gpu_status"]) >= {
        *("available", "memory_total", "memory_used", "memory_free"),
    }
    assert health["gpu_status"].get("device_name", "") is not None
    assert set(health["worker_info"]) >= {
        *("active_jobs", "queued_jobs", "max_concurrent_jobs", "worker_status"),
    }
    assert health["worker_info"]["worker_status"] in {"idle", "busy", "overloaded"}
    assert set(health["workers"]) >= {
        *("status", "active_jobs", "processing_jobs", "queued_jobs", "max_concurrent_workers"),
    }
    assert set(health["diagnostics"]["database"]) >= {"status", "message"}
    assert set(health["diagnostics"]["storage"]) >= {"status", "disk_usage_percent", "message"}
    assert health["diagnostics"]["storage"]["percent_used"] >= 0
    assert health["diagnostics"]["ffmpeg"]["available"] is True
    assert health["security"] == {"auth_required": True}


def test_pipelines_have_every_field(client: httpx.Client) -> None:
    listing = client.get("/api/v1/pipelines").json()
    assert listing["total"] == len(listing["pipelines"]) >= 3
    for pipeline in listing["pipelines"]:
        assert isinstance(pipeline["default_enabled"], bool)
        assert isinstance(pipeline["capabilities"], list)
        for output in pipeline["outputs"]:
            assert isinstance(output["format"], str)
            assert isinstance(output["types"], list)
        for name in ("name", "display_name", "description", "pipeline_family", "variant"):
            assert isinstance(pipeline[name], str)
        assert pipeline["version"]


def test_a_form_can_be_built_from_each_schema(client: httpx.Client) -> None:
    for pipeline in client.get("/api/v1/pipelines").json()["pipelines"]:
        schema = client.get(f"/api/v1/pipelines/{pipeline['name']}/schema").json()
        for parameter in schema["parameters"]:
            assert {"name", "label", "description", "default", "group"} <= parameter.keys()
            assert parameter["type"] in PARAMETER_TYPES
            assert isinstance(parameter["required"], bool)
            assert isinstance(parameter["advanced"], bool)
            if parameter["type"] == "enum":
                assert all({"value", "label"} == choice.keys() for choice in parameter["enum"])
            if "min" in parameter and "max" in parameter:
                assert parameter["min"] < parameter["max"]
                assert parameter["step"] > 0


def test_configs_are_validated_by_pipeline_without_a_selection(client: httpx.Client) -> None:
    body = {"config": {"face_detection": {"threshold": 7}, "scene_detection": {}}}
    verdict = client.post("/api/v1/config/validate", json=body).json()
    [error] = verdict["errors"]
    assert verdict["valid"] is False
    assert error["error_code"] == error["code"] == "VALUE_OUT_OF_RANGE"
    assert error["severity"] == "error"
    assert None not in error.values()


def test_one_pipelines_config_is_validated_in_the_same_words(client: httpx.Client) -> None:
    answer = client.post(
        "/api/v1/pipelines/face_detection/validate", json={"config": {"threshold": 7}}
    )
    [error] = answer.json()["errors"]
    assert (error["error_code"], error["severity"]) == (error["code"], "error")


def test_results_say_how_each_pipeline_went(client: httpx.Client, job: Mapping[str, Any]) -> None:
    url = f"/api/v1/jobs/{job['id']}"
    results = client.get(f"{url}/results").json()
    assert results["pipeline_results"] == client.get(url).json()["pipeline_results"]
    assert {each["status"] for each in results["pipeline_results"].values()} == {"completed"}


def test_jobs_are_filtered_by_status_filter(client: httpx.Client, job: Mapping[str, Any]) -> None:
    completed = client.get("/api/v1/jobs", params={"status_filter": "completed"}).json()["jobs"]
    assert job["id"] in {each["id"] for each in completed}
    failed = client.get("/api/v1/jobs", params={"status_filter": "failed"}).json()["jobs"]
    assert job["id"] not in {each["id"] for each in failed}


def test_a_job_names_its_video_where_clients_read_it(job: Mapping[str, Any]) -> None:
    assert Path(job["video_path"]).name == job["video_filename"]


def test_an_error_is_read_from_the_top_level_detail(client: httpx.Client) -> None:
    answer = client.post("/api/v1/jobs", data={"selected_pipelines": "face_detection"})
    assert answer.is_client_error
    assert isinstance(answer.json()["detail"], str)


def test_the_list_of_jobs_has_every_field(client: httpx.Client, job: Mapping[str, Any]) -> None:
    listing = client.get("/api/v1/jobs").json()
    assert {"jobs", "total", "page", "per_page"} <= listing.keys()
    assert listing["page"] == 1
    assert all(each["status"] == each["status"].lower() for each in listing["jobs"])
    assert not job["error_message"]
