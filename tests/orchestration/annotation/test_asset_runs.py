"""Runs that are started from Dagster's catalog are jobs like all others."""

import io
import wave
import zipfile
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady
from contracts.run import FILENAME_TAG, KIND, KIND_TAG, MEDIA_FACTS_TAG, MEDIA_TAG, PIPELINES_TAG
from orchestration.annotation.asset_runs import asset_run_tags
from tests.webserver import ask_dagster

MEDIA = "a" * 64
LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
STALE = """
query Stale($key: AssetKeyInput!, $media: String!) {
  assetNodeOrError(assetKey: $key) { ... on AssetNode { staleStatus(partition: $media) } }
}
"""


@pytest.fixture
def job(rest: httpx.Client, tmp_path: Path) -> dict[str, Any]:
    """A job of another pipeline on the media, ended."""
    with wave.open(str(tmp_path / "hum.wav"), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(b"\1\0" * 16_000)
    posted = rest.post(
        "/api/v1/jobs",
        files={"video": ("hum.wav", (tmp_path / "hum.wav").read_bytes())},
        data={
            "selected_pipelines": "misbehaving",
            "config": '{"misbehaving": {"behaviour": "finish"}}',
        },
    )
    assert posted.status_code == 201, posted.text
    return _ended(rest, posted.json()["id"])


def _ended(rest: httpx.Client, job_id: str) -> dict[str, Any]:
    rest.get(f"/api/v1/jobs/{job_id}/events", timeout=120.0)  # ends when the job does
    ended: dict[str, Any] = rest.get(f"/api/v1/jobs/{job_id}").json()
    return ended


def _ask(stack: StackReady, document: str, **variables: Any) -> Any:
    return ask_dagster(stack.home, document, **variables)


def test_what_is_known_of_the_media_comes_from_the_newest_run_that_knows() -> None:
    earlier = [{}, {FILENAME_TAG: "new.mp4", MEDIA_FACTS_TAG: "{}"}, {FILENAME_TAG: "old.mp4"}]
    tags = asset_run_tags(["faces", "speech"], MEDIA, earlier)

    assert tags[KIND_TAG] == KIND
    assert tags[MEDIA_TAG] == MEDIA
    assert tags[PIPELINES_TAG] == "faces,speech"
    assert (tags[FILENAME_TAG], tags[MEDIA_FACTS_TAG]) == ("new.mp4", "{}")


def test_media_that_no_run_knows_has_no_name() -> None:
    assert FILENAME_TAG not in asset_run_tags(["faces"], MEDIA, [])


def test_materializing_annotations_of_media_is_a_job_with_results(
    stack: StackReady, rest: httpx.Client, job: dict[str, Any]
) -> None:
    key = {"path": ["annotations", "brightness"]}
    status = _ask(stack, STALE, key=key, media=job["media"])["assetNodeOrError"]["staleStatus"]
    assert status == "MISSING"
    parameters = {
        "selector": {
            "repositoryName": "__repository__",
            "repositoryLocationName": "framegate",
            "jobName": "__ASSET_JOB",
            "assetSelection": [key],
        },
        "executionMetadata": {"tags": [{"key": "dagster/partition", "value": job["media"]}]},
    }
    launched = _ask(stack, LAUNCH, parameters=parameters)["launchRun"]
    ended = _ended(rest, launched["run"]["runId"])

    assert (ended["status"], ended["video_filename"]) == ("completed", "hum.wav")
    assert ended["media"] == job["media"]
    assert list(ended["pipeline_results"]) == ["brightness"]
    archive = rest.get(f"/api/v1/jobs/{ended['id']}/artifacts")
    names = zipfile.ZipFile(io.BytesIO(archive.content)).namelist()
    assert "hum_brightness.csv" in names
    assert [name for name in names if name.startswith("hum.")]  # the media itself
    status = _ask(stack, STALE, key=key, media=job["media"])["assetNodeOrError"]["staleStatus"]
    assert status == "FRESH"
