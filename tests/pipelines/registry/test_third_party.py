"""The example of docs/adding-a-pipeline.md, installed by pip, is a pipeline like any other."""

import csv
import io
import wave
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from api.stack.events import StackReady
from tests.webserver import ask_dagster

_DARK, _BRIGHT = 20, 220
_RATE = 10


@pytest.fixture(scope="module")
def job(rest: httpx.Client, make_video: Any) -> dict[str, Any]:
    """A job of the example, ended, on a video of two dark seconds between two bright ones."""
    levels = [_BRIGHT, _DARK, _DARK, _BRIGHT]
    images = [np.full((48, 64, 3), level, np.uint8) for level in np.repeat(levels, _RATE)]
    return _run(rest, make_video(images, rate=_RATE, name="lamp.mp4"))


def _run(rest: httpx.Client, path: Path) -> dict[str, Any]:
    """A job of the example on the file, once it has ended."""
    with path.open("rb") as media:
        posted = rest.post(
            "/api/v1/jobs",
            files={"video": (path.name, media)},
            data={"selected_pipelines": "brightness", "config": '{"brightness": {}}'},
        )
    assert posted.status_code == 201, posted.text
    location = posted.headers["Location"]
    rest.get(f"{location}/events", timeout=120.0)  # ends when the job does
    ended: dict[str, Any] = rest.get(location).json()
    return ended


def test_rest_lists_it_with_the_pipelines_that_come_along(rest: httpx.Client) -> None:
    cards = {card["name"]: card for card in rest.get("/api/v1/pipelines").json()["pipelines"]}

    assert cards["brightness"]["outputs"][0] == {"format": "CSV", "types": ["brightness"]}
    assert "scene_detection" in cards


def test_its_config_has_a_schema_and_form_parameters(rest: httpx.Client) -> None:
    schema = rest.get("/api/v1/pipelines/brightness/schema").json()

    assert schema["json_schema"]["properties"]["dark_below"]["maximum"] == 1.0
    dark_below, looks = schema["parameters"]
    assert (dark_below["label"], dark_below["min"], dark_below["max"]) == ("Dark below", 0.0, 1.0)
    assert (looks["group"], looks["advanced"]) == ("Speed", True)


def test_its_config_is_validated(rest: httpx.Client) -> None:
    verdict = rest.post(
        "/api/v1/pipelines/validate",
        json={"pipeline": "brightness", "config": {"dark_belo": 0.1, "looks_per_second": 0}},
    ).json()

    assert not verdict["valid"]
    assert {error["code"] for error in verdict["errors"]} == {
        "UNKNOWN_FIELD",
        "VALUE_OUT_OF_RANGE",
    }


def test_it_is_a_dagster_job(stack: StackReady) -> None:
    query = "{ repositoriesOrError { ... on RepositoryConnection { nodes { jobs { name } } } } }"
    (repository,) = ask_dagster(stack.home, query)["repositoriesOrError"]["nodes"]
    assert "brightness" in [job["name"] for job in repository["jobs"]]


def test_a_run_of_it_finds_what_is_there(job: dict[str, Any]) -> None:
    assert job["status"] == "completed", job["error"]
    assert job["progress"] == {"brightness": 1.0}
    assert job["pipeline_results"]["brightness"]["annotation_count"] == 2


def test_its_files_are_results_of_the_job(rest: httpx.Client, job: dict[str, Any]) -> None:
    files = {
        file["role"]: rest.get(file["url"]).content
        for file in rest.get(f"/api/v1/jobs/{job['id']}/results").json()["files"]
    }

    rows = list(csv.DictReader(files["annotations"].decode().splitlines()))
    assert [row["second"] for row in rows] == ["0", "1", "2", "3"]
    expected = np.array([_BRIGHT, _DARK, _DARK, _BRIGHT]) / 255
    assert [float(row["brightness"]) for row in rows] == pytest.approx(expected, abs=0.02)
    assert Image.open(io.BytesIO(files["preview"])).width == 800


def test_a_file_without_video_completes_and_says_so(rest: httpx.Client, tmp_path: Path) -> None:
    with wave.open(str(tmp_path / "silence.wav"), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16_000)
        sound.writeframes(bytes(16_000))

    job = _run(rest, tmp_path / "silence.wav")

    results = rest.get(f"/api/v1/jobs/{job['id']}/results").json()
    assert results["pipelines"]["brightness"]["notes"] == ["The file has no video."]
    assert [file["name"] for file in results["files"]] == ["silence_brightness.csv"]
