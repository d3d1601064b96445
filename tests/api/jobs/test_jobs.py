"""What clients see of a run: its status, its pipelines, its failures."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.settings import Settings
from contracts.run import (
    FAILURE_TAG,
    KIND,
    KIND_TAG,
    PIPELINES_TAG,
    PROBE_OP,
    WAITING_TAG,
    Failure,
    failure_tag,
    pipeline_tags,
)

pytestmark = pytest.mark.anyio

FACES, SCENES = "face_detection", "scene_detection"
Get = Callable[[Any], Any]


@pytest.fixture
def get(admin: httpx.AsyncClient) -> Get:
    async def get(run: Any) -> Any:
        response = await admin.get(f"/api/v1/jobs/{run.id}")
        assert response.status_code == 200, response.text
        return response.json()

    return get


@pytest.fixture
def publish(settings: Settings) -> Callable[..., None]:
    """Writes a pipeline's manifest, as its op does."""

    def publish(run: Any, pipeline: str, count: int = 3) -> None:
        folder = settings.paths.results(run.id) / pipeline
        folder.mkdir(parents=True)
        file = {"name": f"a_{pipeline}.json", "role": "annotations"}
        manifest = {"annotation_count": count, "files": [file]}
        (folder / "manifest.json").write_text(json.dumps(manifest))

    return publish


@pytest.fixture
def report(settings: Settings) -> Callable[..., None]:
    """Writes the progress file, as the ops do."""

    def report(run: Any, text: str) -> None:
        settings.paths.job(run.id).mkdir(parents=True, exist_ok=True)
        settings.paths.progress(run.id).write_text(text)

    return report


def _tags(*pipelines: str, **more: str) -> dict[str, str]:
    return {KIND_TAG: KIND, **pipeline_tags(pipelines), **more}


def _step(
    key: str, status: str | None, start: float | None = None, end: float | None = None
) -> Any:
    return {"stepKey": key, "status": status, "startTime": start, "endTime": end}


@pytest.mark.parametrize(
    ("run_status", "status"),
    [
        ("QUEUED", "pending"),
        ("NOT_STARTED", "pending"),
        ("STARTING", "pending"),
        ("STARTED", "running"),
        ("CANCELING", "cancelling"),
        ("SUCCESS", "completed"),
        ("FAILURE", "failed"),
        ("CANCELED", "cancelled"),
    ],
)
async def test_each_status_of_a_run_has_its_word(
    get: Get, dagster: Any, run_status: str, status: str
) -> None:
    assert (await get(dagster.add(status=run_status)))["status"] == status


async def test_a_job_that_runs_tells_how_far_each_pipeline_is(
    get: Get, dagster: Any, publish: Any, report: Any
) -> None:
    run = dagster.add(
        "annotate",
        status="STARTED",
        tags=_tags(FACES, SCENES),
        started_at=10.0,
        steps=[
            _step(PROBE_OP, "SUCCESS", 10.0, 11.0),
            _step(FACES, "SUCCESS", 11.0, 12.5),
            _step(SCENES, "IN_PROGRESS", 12.5),
        ],
    )
    publish(run, FACES)
    report(run, json.dumps({FACES: 0.99, SCENES: 0.25}))
    job = await get(run)
    assert job["progress"] == {FACES: 1.0, SCENES: 0.25}
    assert job["started_at"] == "1970-01-01T00:00:10.000Z"
    assert job["completed_at"] is None
    assert job["pipeline_results"][FACES] == {
        "status": "completed",
        "started_at": "1970-01-01T00:00:11.000Z",
        "completed_at": "1970-01-01T00:00:12.500Z",
        "annotation_count": 3,
        "complete": None,
        "covered_seconds": None,
        "files": [f"{FACES}/a_{FACES}.json"],
        "carried_over_from": None,
        "error": None,
    }
    assert job["pipeline_results"][SCENES]["status"] == "running"
    assert job["error"] is None
    assert job["error_message"] is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"face_detection": "x"}', '{"face_detection": 7}']
)
async def test_a_progress_file_that_cannot_be_read_is_no_news(
    get: Get, dagster: Any, report: Any, text: str
) -> None:
    run = dagster.add(status="STARTED", tags=_tags(FACES))
    report(run, text)
    assert (await get(run))["progress"][FACES] in {0.0, 1.0}


async def test_a_failed_pipeline_leaves_the_others_standing_and_says_why(
    get: Get, dagster: Any, publish: Any
) -> None:
    failure = Failure("GPU_OUT_OF_MEMORY", "Tried batches of 4, 2 and 1.", "Use a smaller side.")
    run = dagster.add(
        "annotate",
        tags=_tags(FACES, SCENES) | {failure_tag(FACES): failure.to_tag()},
        steps=[_step(FACES, "FAILURE", 1.0, 2.0), _step(SCENES, "SUCCESS", 2.0, 3.0)],
    )
    run.end("FAILURE")
    publish(run, SCENES)
    job = await get(run)
    assert job["pipeline_results"][SCENES]["status"] == "completed"
    assert job["pipeline_results"][FACES]["status"] == "failed"
    assert job["pipeline_results"][FACES]["error"]["code"] == "GPU_OUT_OF_MEMORY"
    assert job["error"] == {
        "code": "GPU_OUT_OF_MEMORY",
        "message": f"{FACES}: {failure.message}",
        "hint": failure.hint,
    }
    assert job["error_message"] == job["error"]["message"]


async def test_a_run_that_failed_as_a_whole_says_so(get: Get, dagster: Any) -> None:
    failure = Failure("INVALID_MEDIA", "The file is empty.")
    run = dagster.add(
        tags=_tags(FACES) | {FAILURE_TAG: failure.to_tag()},
        steps=[_step(PROBE_OP, "FAILURE", 1.0, 2.0), _step(FACES, "SKIPPED")],
    )
    run.end("FAILURE")
    job = await get(run)
    assert job["error"] == {"code": "INVALID_MEDIA", "message": "The file is empty.", "hint": None}
    assert job["pipeline_results"][FACES]["status"] == "failed"


@pytest.mark.parametrize("tag", [None, "", "{", "[]", '{"code": "X"}'])
async def test_a_failure_without_a_readable_reason_still_has_one(
    get: Get, dagster: Any, tag: str | None
) -> None:
    run = dagster.add(tags=_tags(FACES) | ({FAILURE_TAG: tag} if tag is not None else {}))
    run.end("FAILURE")
    assert (await get(run))["error"]["code"] == "RUN_FAILED"


async def test_a_cancelled_job_has_cancelled_pipelines_and_no_error(
    get: Get, dagster: Any, publish: Any
) -> None:
    run = dagster.add(
        "annotate",
        tags=_tags(FACES, SCENES),
        steps=[_step(FACES, "SUCCESS", 1.0, 2.0), _step(SCENES, "FAILURE", 2.0, 3.0)],
    )
    publish(run, FACES)
    run.end("CANCELED")
    job = await get(run)
    statuses = {name: result["status"] for name, result in job["pipeline_results"].items()}
    assert statuses == {FACES: "completed", SCENES: "cancelled"}
    assert job["cancelled_at"] is not None
    assert (job["completed_at"], job["error"]) == (None, None)


async def test_a_job_cancelled_in_the_queue_never_started(get: Get, dagster: Any) -> None:
    """Dagster itself answers with the end as the start of such a run."""
    run = dagster.add(tags=_tags(FACES))
    run.end("CANCELED")
    run.started_at = run.ended_at
    assert (await get(run))["started_at"] is None


async def test_a_run_from_the_ui_is_a_job_without_owner(get: Get, dagster: Any) -> None:
    run = dagster.add(
        FACES,
        status="STARTED",
        config={"ops": {PROBE_OP: {"config": {"media": "/data/a.mp4"}}, FACES: {}}},
    )
    job = await get(run)
    assert (job["owner"], job["media"], job["video_size_bytes"]) == (None, None, None)
    assert job["video_filename"] == "a.mp4"
    assert job["selected_pipelines"] == [FACES]
    assert job["config"] == {FACES: {}}
    assert job["dagster_url"].endswith(f"/runs/{run.id}")


async def test_a_run_of_several_from_the_ui_has_the_pipelines_of_its_config(
    get: Get, dagster: Any
) -> None:
    run = dagster.add("annotate", config={"ops": {PROBE_OP: {}, SCENES: {"config": {"x": 1}}}})
    job = await get(run)
    assert job["selected_pipelines"] == [SCENES]
    assert job["config"] == {SCENES: {"x": 1}}


async def test_a_waiting_job_says_why_where_that_is_known(get: Get, dagster: Any) -> None:
    run = dagster.add(tags=_tags(FACES) | {WAITING_TAG: "No GPU has 4 GB free."})
    assert (await get(run))["waiting_reason"] == "No GPU has 4 GB free."
    run.status = "STARTED"
    assert (await get(run))["waiting_reason"] is None


def test_the_tag_of_all_pipelines_is_what_jobs_are_described_by() -> None:
    assert pipeline_tags([FACES, SCENES])[PIPELINES_TAG] == f"{FACES},{SCENES}"


@pytest.mark.parametrize(
    "config",
    [{"ops": None}, {"ops": []}, {"ops": {FACES: 3}}, {"ops": {FACES: {"config": "x"}}}, "ops: {"],
)
async def test_a_run_of_an_odd_config_breaks_neither_the_list_nor_itself(
    admin: httpx.AsyncClient, dagster: Any, get: Get, config: Any
) -> None:
    odd, other = dagster.add("by_hand", config=config), dagster.add(FACES)
    listed = (await admin.get("/api/v1/jobs")).json()["jobs"]
    assert [job["id"] for job in listed] == [other.id, odd.id]
    assert (await get(odd))["id"] == odd.id
