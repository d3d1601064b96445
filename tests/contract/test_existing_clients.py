"""A client that was there before: it knows section 3 of the API's description, and nothing else.

It submits a real video to all three pipelines of the real stack, listens, and reads what comes.
"""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady
from pipelines.sample import build_sample

LIMIT_SECONDS = 30
ENDED = {"completed", "failed", "cancelled"}
EVENTS = {"job.update", "job.complete", "job.error", "job.cancelled"}
PARAMETER_TYPES = {"boolean", "string", "integer", "number", "enum", "multiselect", "object"}
VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".webm")
NEVER_IN_A_MANIFEST = {"results", "annotations", "scenes", "attributes", "emotions", "face_id"}

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Told:
    id: str
    name: str
    data: dict[str, Any]


def read_events(answer: httpx.Response) -> Iterator[Told]:
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and "data" in fields:
            yield Told(fields["id"], fields["event"], json.loads(fields["data"]))
            fields = {}


@pytest.fixture(scope="module")
def client(stack: StackReady, admin_key: str) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=stack.url,
        headers={"Authorization": f"Bearer {admin_key}"},
        timeout=LIMIT_SECONDS,
        trust_env=False,
    ) as client:
        yield client


@pytest.fixture(scope="module")
def job_and_events(
    client: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], list[Told]]:
    """A job of all three pipelines that has completed, and every event of it."""
    video = build_sample(tmp_path_factory.mktemp("video") / "street & talk.mp4")
    with video.open("rb") as file:
        submitted = client.post(
            "/api/v1/jobs",
            files={"video": (video.name, file, "video/mp4")},
            data={
                "selected_pipelines": "face_detection,scene_detection,speech_activity",
                "config": json.dumps({"face_detection": {"sample_rate": 2}}),
            },
        )
    assert submitted.status_code == 201, submitted.text
    job_id = submitted.json()["id"]
    timeout = httpx.Timeout(LIMIT_SECONDS, read=180)  # a heartbeat comes every 15 s
    with client.stream("GET", f"/api/v1/jobs/{job_id}/events", timeout=timeout) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = list(read_events(answer))
    [job] = [each for each in client.get("/api/v1/jobs").json()["jobs"] if each["id"] == job_id]
    assert job["status"] == "completed", job
    return job, events


@pytest.fixture(scope="module")
def job(job_and_events: tuple[dict[str, Any], list[Told]]) -> dict[str, Any]:
    return job_and_events[0]


@pytest.fixture(scope="module")
def archive(client: httpx.Client, job: Mapping[str, Any]) -> Iterator[zipfile.ZipFile]:
    answer = client.get(f"/api/v1/jobs/{job['id']}/artifacts", timeout=None)
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        yield archive


def read(archive: zipfile.ZipFile, ending: str) -> str:
    [name] = [name for name in archive.namelist() if name.endswith(ending)]
    return archive.read(name).decode()


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


def test_events_have_the_names_ids_and_data_that_clients_read(
    job_and_events: tuple[dict[str, Any], list[Told]],
) -> None:
    job, events = job_and_events
    assert {event.name for event in events} <= EVENTS
    assert [event.name for event in events][-1] == "job.complete"
    assert len({event.id for event in events}) == len(events) >= 2
    assert {event.data["job_id"] for event in events} == {job["id"]}
    assert events[0].data["status"] not in ENDED


def test_a_stream_goes_on_after_the_last_id_seen(
    client: httpx.Client, job_and_events: tuple[dict[str, Any], list[Told]]
) -> None:
    job, events = job_and_events
    address = f"/api/v1/jobs/{job['id']}/events"
    with client.stream("GET", address, headers={"Last-Event-ID": events[0].id}) as answer:
        resumed = list(read_events(answer))
    assert events[0].id not in {event.id for event in resumed}
    assert resumed[-1].name == "job.complete"
    over = client.get(address, headers={"Last-Event-ID": events[-1].id})
    assert over.status_code == 204


def test_the_archive_holds_exactly_one_video_and_the_results(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    assert len([name for name in names if name.lower().endswith(VIDEOS)]) == 1
    assert len(names) == len(set(names))
    assert all(not name.startswith("/") and ".." not in name for name in names)


def test_faces_are_coco_with_annotations_before_images(archive: zipfile.ZipFile) -> None:
    text = read(archive, "_face_analysis.json")
    faces = json.loads(text)
    assert text.index('"annotations"') < text.index('"images"')
    assert faces["annotations"]
    images = {image["id"] for image in faces["images"]}
    for face in faces["annotations"]:
        _x, _y, width, height = face["bbox"]
        assert width > 0
        assert height > 0
        assert isinstance(face["face_id"], int)
        assert isinstance(face["image_id"], str)
        assert face["image_id"] in images
        assert 0 <= face["score"] <= 1
        assert face["timestamp"] >= 0
        assert isinstance(face["frame_number"], int)


def test_scenes_follow_each_other_without_nulls(archive: zipfile.ZipFile) -> None:
    text = read(archive, "_scene_detection.json")
    found = json.loads(text)
    assert found.keys() == {"scenes"}
    assert "null" not in text
    assert len(found["scenes"]) >= 5
    for scene in found["scenes"]:
        assert (scene["start_time"], scene["end_time"]) == (scene["start"], scene["end"])
        assert {"id", "start", "end", "frame_start", "frame_end", "score"} <= scene.keys()
        assert scene["duration"] > 0
    starts = [scene["start"] for scene in found["scenes"]]
    assert starts == sorted(starts)


def test_speech_is_rttm_of_at_least_nine_fields(archive: zipfile.ZipFile) -> None:
    lines = read(archive, "_speech_activity.rttm").splitlines()
    assert lines
    files = set()
    for line in lines:
        fields = line.split(" ")
        assert len(fields) >= 9
        assert fields[0] == "SPEAKER"
        assert float(fields[4]) > 0
        files.add(fields[1])
    assert len(files) == 1


def test_text_is_webvtt(archive: zipfile.ZipFile) -> None:
    tracks = [name for name in archive.namelist() if name.endswith(".vtt")]
    assert tracks
    for name in tracks:
        lines = archive.read(name).decode().splitlines()
        assert lines[0] == "WEBVTT"
        cues = [line for line in lines if "-->" in line]
        assert cues
        for cue in cues:
            assert re.fullmatch(r"\d{2,}:\d{2}:\d{2}\.\d{3} --> \d{2,}:\d{2}:\d{2}\.\d{3}.*", cue)


def test_no_manifest_can_be_taken_for_annotations(archive: zipfile.ZipFile) -> None:
    manifests = [name for name in archive.namelist() if Path(name).name == "manifest.json"]
    assert manifests
    for name in manifests:
        assert not NEVER_IN_A_MANIFEST & json.loads(archive.read(name)).keys()


def test_each_json_file_is_told_apart_by_its_name_and_then_by_its_content(
    archive: zipfile.ZipFile,
) -> None:
    kinds = {}
    for name in archive.namelist():
        if name.endswith(".json"):
            content = json.loads(archive.read(name))
            kinds[Path(name).name.rpartition("_")[2]] = (
                "scenes" in content,
                "annotations" in content,
            )
    assert kinds["analysis.json"] == (False, True)
    assert kinds["detection.json"] == (True, False)
    assert kinds["manifest.json"] == (False, False)
