"""What a submission means, and that it is checked as a whole before anything is queued."""

import hashlib
import json
import os
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api import submission
from api.dagster.run import QueuedRun, Run, RunStatus
from api.dependencies import Services
from api.errors import GpuOutOfMemoryError, InvalidConfigError, InvalidRequestError
from api.jobs import place_in
from api.probing import Prober
from api.schemas import JobSubmission
from api.settings import Settings
from api.submit import plan
from api.uploads import Upload
from contracts.run import MEDIA_FACTS_TAG, PRIORITY_TAG, PROBE_OP, MediaFacts
from pipelines.registry.catalog import load_catalog
from pipelines.registry.devices import Device

pytestmark = pytest.mark.anyio

JOBS = "/api/v1/jobs"
ClientOf = Callable[..., httpx.AsyncClient]


@pytest.fixture
def file(settings: Settings, clip: bytes) -> Path:
    path = settings.media_roots[0] / "clip.mp4"
    path.write_bytes(clip)
    return path


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


def _decide(devices: tuple[Device, ...] = (), **body: Any) -> Any:
    return plan(
        JobSubmission(media="m", **body), load_catalog(), devices, pipelines_field="pipelines"
    )


def test_without_a_selection_every_pipeline_that_is_on_by_default_runs() -> None:
    names = [card.name for card in load_catalog().cards.values() if card.default_enabled]
    assert list(_decide().pipelines) == names


def test_a_pipeline_named_twice_runs_once() -> None:
    assert _decide(pipelines=["speech_activity"] * 2).pipelines == ("speech_activity",)


def test_selecting_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="No pipeline"):
        _decide(pipelines=[])


def test_the_config_of_a_pipeline_that_is_not_selected_is_left_out() -> None:
    config = {"speech_activity": {}, "scene_detection": {}}
    plan = _decide(pipelines=["speech_activity"], config=config)
    assert plan.config == {"speech_activity": {}}


def test_all_errors_of_all_configs_come_at_once_with_their_places() -> None:
    config = {"speech_activity": {"threshold": 7}, "scene_detection": {"treshold": 0.5}}
    with pytest.raises(InvalidConfigError) as caught:
        _decide(pipelines=["speech_activity", "scene_detection", "faces"], config=config)
    errors = caught.value.detail["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [
        ("config.speech_activity.threshold", "VALUE_OUT_OF_RANGE"),
        ("config.scene_detection.treshold", "UNKNOWN_FIELD"),
        ("pipelines.2", "PIPELINE_NOT_FOUND"),
    ]
    assert caught.value.field == errors[0]["field"]
    assert caught.value.hint == errors[0]["hint"]


def test_what_no_device_can_ever_hold_is_refused_with_both_sizes() -> None:
    tiny = (Device("GPU-1", "tiny", memory_total=1000, memory_free=1000),)
    with pytest.raises(GpuOutOfMemoryError) as caught:
        _decide(tiny, pipelines=["scene_detection"])
    assert set(caught.value.detail) == {"required_gb", "available_gb"}
    assert _decide(
        tiny, pipelines=["scene_detection"], config={"scene_detection": {"device": "cpu"}}
    )


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

    monkeypatch.setattr("api.submission.check", watched("check", submission.check))
    monkeypatch.setattr("api.submission.plan", watched("plan", submission.plan))
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


async def test_an_unknown_hash_is_a_404(admin: httpx.AsyncClient, dagster: Any) -> None:
    response = await admin.post(JOBS, json={"media": "a" * 64})
    assert response.status_code == 404
    assert dagster.asked == []


async def test_a_file_in_a_media_root_is_used_where_it_is(
    admin: httpx.AsyncClient, dagster: Any, file: Path, clip: bytes, settings: Settings
) -> None:
    response = await admin.post(JOBS, json={"media": str(file), "pipelines": ["speech_activity"]})
    assert response.status_code == 201, response.text
    [run] = dagster.runs.values()
    assert run.config["ops"][PROBE_OP]["config"]["media"] == str(file)
    assert response.json()["media"] == hashlib.sha256(clip).hexdigest()
    assert response.json()["video_filename"] == "clip.mp4"
    assert not settings.paths.media("a").exists()


async def test_a_file_in_a_media_root_is_read_again_only_when_it_changed(
    services: Services, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed = []
    probe = Prober.probe

    async def count(self: Prober, path: Path, name: str) -> Any:
        probed.append(path)
        return await probe(self, path, name)

    monkeypatch.setattr(Prober, "probe", count)
    first = await services.media.find(str(file))
    assert await services.media.find(str(file)) == first
    assert len(probed) == 1
    os.utime(file, ns=(1, 1))
    assert await services.media.find(str(file)) == first
    assert len(probed) == 2


@pytest.fixture
def escapes(file: Path, tmp_path: Path) -> dict[str, str]:
    """Ways to name what is outside of the media roots, or is no file."""
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(file.read_bytes())
    (file.parent / "link.mp4").symlink_to(outside)
    (file.parent / "loop").symlink_to(file.parent / "loop")
    os.mkfifo(file.parent / "pipe")
    return {
        "outside": str(outside),
        "dots": f"{file.parent}/../outside.mp4",
        "link": str(file.parent / "link.mp4"),
        "loop": str(file.parent / "loop"),
        "folder": str(file.parent),
        "pipe": str(file.parent / "pipe"),
        "missing": str(file.parent / "missing.mp4"),
        "relative": os.path.relpath(file),
        "device": "/dev/zero",
        "nul": f"{file}\0",
        "long": f"{file.parent}/{'x' * 4000}",
    }


async def test_nothing_outside_of_the_media_roots_can_be_named_and_all_refusals_look_alike(
    admin: httpx.AsyncClient, dagster: Any, escapes: dict[str, str]
) -> None:
    answers = {way: await admin.post(JOBS, json={"media": media}) for way, media in escapes.items()}
    assert {way: answer.status_code for way, answer in answers.items()} == dict.fromkeys(
        escapes, 400
    )
    assert len({answer.json()["detail"] for answer in answers.values()}) == 1
    assert dagster.asked == []


async def test_probing_that_takes_too_long_is_given_up_and_leaves_no_process(file: Path) -> None:
    before = psutil.Process().children()
    with pytest.raises(InvalidRequestError, match="within"):
        await Prober(timeout=0.01).probe(file, file.name)
    assert psutil.Process().children() == before


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
