"""What clients see of a run: its status, its pipelines, its failures, its place in a list."""

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


async def test_jobs_are_listed_newest_first_in_pages(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    ids = [dagster.add(tags=_tags(FACES)).id for _ in range(5)][::-1]
    dagster.add(tags={})
    pages = [
        (await admin.get("/api/v1/jobs", params={"page": page, "per_page": 2})).json()
        for page in (1, 2, 3, 4)
    ]
    assert [[job["id"] for job in page["jobs"]] for page in pages] == [
        ids[:2],
        ids[2:4],
        ids[4:],
        [],
    ]
    assert [(page["page"], page["per_page"], page["total"]) for page in pages] == [
        (page, 2, 5) for page in (1, 2, 3, 4)
    ]


async def test_a_list_can_be_followed_by_cursor_to_its_end(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    ids = [dagster.add().id for _ in range(5)][::-1]
    seen, cursor = [], ""
    while cursor is not None:
        parameters = {"per_page": 2} | ({"cursor": cursor} if cursor else {})
        page = (await admin.get("/api/v1/jobs", params=parameters)).json()
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    assert seen == ids


async def test_runs_that_are_no_jobs_are_neither_listed_nor_counted(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    ours = [dagster.add() for _ in range(3)]
    for _ in range(4):
        dagster.add("somebody_elses", tags={})
    dagster.add()
    page = (await admin.get("/api/v1/jobs?per_page=3")).json()
    assert page["total"] == 4
    assert [job["id"] for job in page["jobs"]][1:] == [ours[2].id, ours[1].id]
    rest = (await admin.get(f"/api/v1/jobs?per_page=3&cursor={page['next_cursor']}")).json()
    assert [job["id"] for job in rest["jobs"]] == [ours[0].id]


async def test_jobs_are_found_by_status_and_by_any_of_their_pipelines(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    both = dagster.add("annotate", tags=_tags(FACES, SCENES))
    scenes = dagster.add(SCENES, tags=_tags(SCENES))
    scenes.end("SUCCESS")

    async def find(**parameters: str) -> set[str]:
        jobs = (await admin.get("/api/v1/jobs", params=parameters)).json()["jobs"]
        return {job["id"] for job in jobs}

    assert await find(pipeline=SCENES) == {both.id, scenes.id}
    assert await find(pipeline=FACES) == {both.id}
    assert await find(status="completed") == {scenes.id}
    assert await find(status="pending", pipeline=SCENES) == {both.id}
    assert await find(status="failed") == set()


async def test_pages_far_out_ask_for_the_cursor_instead(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/api/v1/jobs", params={"page": 10**6, "per_page": 100})
    assert response.status_code == 400
    assert "cursor" in response.json()["error"]["hint"]


async def test_everybody_with_a_key_sees_all_jobs(
    client_of: Callable[..., httpx.AsyncClient], dagster: Any
) -> None:
    run = dagster.add(tags=_tags(FACES) | {"framegate/owner": "somebody"})
    for role in ("reader", "annotator", "admin"):
        client = client_of(role)
        assert (await client.get(f"/api/v1/jobs/{run.id}")).json()["owner"] == "somebody"
        assert (await client.get("/api/v1/jobs")).json()["total"] == 1


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
