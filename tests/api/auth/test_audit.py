"""What is done over REST is in the audit log, with who did it."""

import json
from typing import Any

import httpx
import pytest

from api.settings import Settings
from contracts.run import KIND, KIND_TAG, OWNER_TAG, pipeline_tags

pytestmark = pytest.mark.anyio

_VIDEO = {"selected_pipelines": "scene_detection"}


def _lines(settings: Settings) -> list[dict[str, Any]]:
    if not settings.paths.audit.exists():
        return []
    return [json.loads(line) for line in settings.paths.audit.read_text().splitlines()]


async def test_a_submission_is_recorded(
    admin: httpx.AsyncClient, settings: Settings, clip: bytes
) -> None:
    answer = await admin.post("/api/v1/jobs", data=_VIDEO, files={"video": ("a.mp4", clip)})
    assert answer.status_code == 201, answer.text
    (line,) = _lines(settings)
    assert (line["action"], line["by"]) == ("job.submit", "admin")
    assert line["job_id"] == answer.json()["id"]
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["address"] == "127.0.0.1"


async def test_a_refused_submission_is_not(admin: httpx.AsyncClient, settings: Settings) -> None:
    await admin.post("/api/v1/jobs", data=_VIDEO, files={"video": ("a.mp4", b"no video")})
    assert _lines(settings) == []


async def test_cancellations_and_deletions_are_recorded(
    admin: httpx.AsyncClient, settings: Settings, dagster: Any
) -> None:
    tags = {KIND_TAG: KIND, OWNER_TAG: "admin", **pipeline_tags(["face_detection"])}
    waiting = dagster.add(status="QUEUED", tags=tags)
    done = dagster.add(status="SUCCESS", tags=tags)
    await admin.post(f"/api/v1/jobs/{waiting.id}/cancel", json={"reason": "a mistake"})
    await admin.delete(f"/api/v1/jobs/{done.id}")
    cancelled, deleted = _lines(settings)
    assert (cancelled["action"], cancelled["job_id"]) == ("job.cancel", waiting.id)
    assert cancelled["reason"] == "a mistake"
    assert (deleted["action"], deleted["job_id"]) == ("job.delete", done.id)


async def test_keys_made_and_revoked_are_recorded_without_their_secret(
    admin: httpx.AsyncClient, settings: Settings
) -> None:
    made = (await admin.post("/api/v1/keys", json={"name": "bob", "role": "reader"})).json()
    await admin.delete(f"/api/v1/keys/{made['id']}")
    assert [(line["action"], line["name"]) for line in _lines(settings)] == [
        ("key.create", "bob"),
        ("key.revoke", "bob"),
    ]
    assert made["key"] not in settings.paths.audit.read_text()


async def test_an_action_is_done_where_the_log_cannot_be_written(
    admin: httpx.AsyncClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.paths.audit.mkdir(parents=True)
    answer = await admin.post("/api/v1/keys", json={"name": "bob", "role": "reader"})
    assert answer.status_code == 201
    assert "audit log" in caplog.text
