"""Whatever somebody writes into a run's tags or folder, its neighbours are shown as ever."""

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
    MEDIA_FACTS_TAG,
    PIPELINES_TAG,
    PRIORITY_TAG,
    SUBMITTED_AT_TAG,
    pipeline_tags,
)

pytestmark = pytest.mark.anyio

FACES = "face_detection"
TAGS = {KIND_TAG: KIND, **pipeline_tags([FACES])}


@pytest.fixture
def write_manifest(settings: Settings) -> Callable[[Any, str], None]:
    def write(run: Any, text: str) -> None:
        folder = settings.paths.results(run.id) / FACES
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text(text)

    return write


async def _listed(admin: httpx.AsyncClient) -> dict[str, Any]:
    answer = await admin.get("/api/v1/jobs")
    assert answer.status_code == 200, answer.text
    return {job["id"]: job for job in answer.json()["jobs"]}


@pytest.mark.parametrize(
    "forged",
    [
        {SUBMITTED_AT_TAG: "yesterday"},
        {SUBMITTED_AT_TAG: "caf\ufffd"},
        {MEDIA_FACTS_TAG: '{"filename": 5, "size_bytes": "x", "duration_seconds": []}'},
        {MEDIA_FACTS_TAG: '{"filename": "a", "size_bytes": 1e999, "duration_seconds": NaN}'},
        {MEDIA_FACTS_TAG: "[]"},
        {FAILURE_TAG: '{"code": 5, "message": null}'},
        {FAILURE_TAG: '{"code": "X", "message": "caf\\udce9"}'},
        {FAILURE_TAG: '"text"'},
        {PRIORITY_TAG: "9" * 5000},
        {PIPELINES_TAG: "../../../etc"},
        {PIPELINES_TAG: "x" * 500},
        {PIPELINES_TAG: "a\x00b"},
    ],
)
async def test_a_forged_tag_takes_no_other_job_along(
    admin: httpx.AsyncClient, dagster: Any, forged: dict[str, str]
) -> None:
    before = dagster.add(tags=TAGS)
    bad = dagster.add(tags={**TAGS, **forged})
    bad.end("FAILURE")

    listed = await _listed(admin)

    assert listed.keys() == {before.id, bad.id}
    assert listed[bad.id]["status"] == "failed"
    assert (await admin.get(f"/api/v1/jobs/{bad.id}")).status_code == 200
    assert (await admin.get("/metrics")).status_code == 200


@pytest.mark.parametrize(
    "manifest",
    [
        {"annotation_count": "many", "files": []},
        {"annotation_count": 1, "files": [{"nothing": 1}]},
        {"annotation_count": 1, "files": 5},
        {"annotation_count": 1, "files": ["a"]},
        {"annotation_count": 1, "files": [{"name": "caf\udce9"}]},
        {"annotation_count": float("nan"), "files": []},
    ],
)
async def test_a_manifest_that_was_changed_by_hand_takes_no_other_job_along(
    admin: httpx.AsyncClient,
    dagster: Any,
    write_manifest: Callable[[Any, str], None],
    manifest: dict[str, Any],
) -> None:
    neighbour = dagster.add(tags=TAGS)
    bad = dagster.add(tags=TAGS)
    bad.end("SUCCESS")
    write_manifest(bad, json.dumps(manifest))

    listed = await _listed(admin)

    assert listed.keys() == {neighbour.id, bad.id}
    assert listed[bad.id]["status"] == "completed"
    assert (await admin.get(f"/api/v1/jobs/{bad.id}")).status_code == 200


async def test_a_job_that_cannot_be_described_says_so(
    admin: httpx.AsyncClient, dagster: Any, write_manifest: Callable[[Any, str], None]
) -> None:
    bad = dagster.add(tags=TAGS)
    bad.end("SUCCESS")
    write_manifest(bad, '{"annotation_count": "many"}')

    error = (await _listed(admin))[bad.id]["error"]

    assert error["code"] == "JOB_NOT_DESCRIBABLE"
    assert "annotation_count" in error["message"]
