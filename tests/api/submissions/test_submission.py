"""What becomes of a submission, and that it is checked as a whole before anything is queued."""

import hashlib
import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.dagster.run import QueuedRun, Run, RunStatus
from api.jobs.finding import place_in
from api.media.uploads import Upload
from api.settings import Settings
from api.submissions import receive as submission
from contracts.run import MEDIA_FACTS_TAG, PRIORITY_TAG, PROBE_OP, MediaFacts

pytestmark = pytest.mark.anyio

JOBS = "/api/v1/jobs"


@pytest.fixture
def upload(settings: Settings, clip: bytes) -> str:
    """The hash of a stored upload."""
    sha256 = hashlib.sha256(clip).hexdigest()
    home = settings.paths
    home.media(sha256).parent.mkdir(parents=True)
    home.media(sha256).write_bytes(clip)
    home.media_facts(sha256).write_text(
        '{"name": "first.mp4", "size_bytes": 9, "duration_seconds": 0.5, "container": "mp4"}'
    )
    return sha256


async def test_a_submission_becomes_a_run_of_the_pipelines_own_job(
    admin: httpx.AsyncClient, dagster: Any, upload: str
) -> None:
    body = {
        "media": upload,
        "pipelines": ["speech_activity"],
        "config": {"speech_activity": {"threshold": 0.4}},
        "tags": {"batch": "7"},
        "priority": 5,
    }
    response = await admin.post(JOBS, json=body, headers={"X-Request-ID": "trace-1"})
    assert response.status_code == 201
    [run] = dagster.runs.values()
    assert response.headers["Location"] == f"{JOBS}/{run.id}"
    assert (run.job, run.selection) == ("speech_activity", None)
    assert run.config == {
        "ops": {
            PROBE_OP: {"config": {"media": upload, "filename": "first.mp4"}},
            "speech_activity": {"config": {"threshold": 0.4}},
        }
    }
    assert MediaFacts.from_tag(run.tags.pop(MEDIA_FACTS_TAG)) == MediaFacts("first.mp4", 9, 0.5)
    assert run.tags.pop("framegate/submitted_at") == response.json()["created_at"]
    assert run.tags == {
        "framegate/kind": "annotation",
        "framegate/owner": "admin",
        "framegate/media": upload,
        "framegate/filename": "first.mp4",
        "framegate/pipelines": "speech_activity",
        "framegate.pipeline/speech_activity": "selected",
        "framegate/request_id": "trace-1",
        "dagster/priority": "5",
        "user/batch": "7",
    }


async def test_several_pipelines_become_one_run_with_a_selection(
    admin: httpx.AsyncClient, dagster: Any, upload: str
) -> None:
    names = ["speech_activity", "scene_detection"]
    response = await admin.post(JOBS, json={"media": upload, "pipelines": names})
    [run] = dagster.runs.values()
    assert (run.job, run.selection) == ("annotate", [PROBE_OP, *names])
    assert response.json()["selected_pipelines"] == names


def test_a_run_that_came_after_the_look_at_the_queue_stands_behind_its_equals() -> None:
    queue = [QueuedRun("a", 5), QueuedRun("b", 0), QueuedRun("c", 0), QueuedRun("d", -1)]
    run = Run("new", "job", RunStatus.QUEUED, {}, {}, 1.0, None, None, None)
    assert place_in(queue, run) == 4
    assert place_in(queue, replace(run, tags={PRIORITY_TAG: "9"})) == 1
    assert place_in(queue, replace(run, run_id="b")) == 2


async def test_a_new_job_knows_its_place_in_the_queue(
    admin: httpx.AsyncClient, upload: str
) -> None:
    for place in (1, 2):
        job = (await admin.post(JOBS, json={"media": upload})).json()
        assert (job["status"], job["queue_position"]) == ("pending", place)
    urgent = (await admin.post(JOBS, json={"media": upload, "priority": 9})).json()
    assert urgent["queue_position"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"media": ""},
        {"media": 7},
        {"pipelines": "speech_activity"},
        {"pipelines": [1]},
        {"tags": {"a": 1}},
        {"tags": {"a/b": "x"}},
        {"tags": {"a": "x" * 300}},
        {"tags": {"a": "line\nbreak"}},
        {"tags": {str(number): "" for number in range(21)}},
        {"priority": "1"},
        {"priority": 1001},
        {"priority": True},
        {"surprise": 1},
    ],
)
async def test_a_body_that_is_not_a_submission_is_a_400_that_names_the_field(
    admin: httpx.AsyncClient, dagster: Any, upload: str, change: dict[str, Any]
) -> None:
    response = await admin.post(JOBS, json={"media": upload} | change)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "INVALID_REQUEST"
    assert response.json()["error"]["field"].startswith(next(iter(change)))
    assert dagster.asked == []


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '{"media": NaN}', '{"a":1,"a":2}'])
async def test_json_that_is_no_submission_is_a_400(admin: httpx.AsyncClient, text: str) -> None:
    response = await admin.post(JOBS, content=text, headers={"Content-Type": "application/json"})
    assert response.status_code == 400


async def test_a_config_that_fails_validation_queues_nothing(
    admin: httpx.AsyncClient, dagster: Any, upload: str
) -> None:
    body = {"media": upload, "config": {"speech_activity": {"threshold": "high"}}}
    response = await admin.post(JOBS, json=body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "INVALID_CONFIG"
    assert response.json()["error"]["field"] == "config.speech_activity.threshold"
    assert dagster.asked == []


@pytest.mark.parametrize("in_form", [False, True])
async def test_a_large_submission_is_judged_beside_the_event_loop(
    admin: httpx.AsyncClient,
    upload: str,
    clip: bytes,
    monkeypatch: pytest.MonkeyPatch,
    *,
    in_form: bool,
) -> None:
    """So is every look at the disk, and the removal of what was uploaded in vain."""
    threads: dict[str, set[int]] = {}

    def watched(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            threads.setdefault(name, set()).add(threading.get_ident())
            return function(*arguments, **named)

        return call

    monkeypatch.setattr("api.submissions.receive.check", watched("check", submission.check))
    monkeypatch.setattr("api.submissions.receive.plan", watched("plan", submission.plan))
    monkeypatch.setattr(shutil, "disk_usage", watched("disk", shutil.disk_usage))
    monkeypatch.setattr(Upload, "discard", watched("discard", Upload.discard))
    config = {"speech_activity": {f"field{number}": 1 for number in range(3000)}}
    if in_form:
        form = {"selected_pipelines": "speech_activity", "config": json.dumps(config)}
        answer = await admin.post(JOBS, data=form, files={"video": ("a.mp4", clip)})
    else:
        body = {"media": upload, "pipelines": ["speech_activity"], "config": config}
        answer = await admin.post(JOBS, json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "INVALID_CONFIG")
    assert threads.keys() == {"check", "plan", "disk"} | ({"discard"} if in_form else set())
    assert threading.get_ident() not in set().union(*threads.values())


async def test_dagster_being_away_is_a_503_and_a_submission_can_be_tried_again(
    admin: httpx.AsyncClient, dagster: Any, upload: str
) -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    body, key = {"media": upload}, {"Idempotency-Key": "again"}
    dagster.transport_reply = refuse
    away = await admin.post(JOBS, json=body, headers=key)
    assert away.status_code == 503
    assert away.json()["error"]["code"] == "ORCHESTRATOR_UNAVAILABLE"
    assert int(away.headers["Retry-After"]) > 0
    dagster.transport_reply = None
    assert (await admin.post(JOBS, json=body, headers=key)).status_code == 201
    assert len(dagster.runs) == 1


async def test_a_job_that_was_launched_is_answered_though_the_queue_cannot_be_asked(
    admin: httpx.AsyncClient, dagster: Any, upload: str
) -> None:
    dagster.replies["runsOrError"] = {"__typename": "PythonError", "message": "no", "stack": []}
    answer = await admin.post(JOBS, json={"media": upload})
    assert answer.status_code == 201
    assert answer.json()["queue_position"] is None
    assert len(dagster.runs) == 1
