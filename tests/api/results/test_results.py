"""What the results of a job say: its files, and how much of the media was read."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from api.settings import Settings
from tests.api.results.conftest import NAMES

pytestmark = pytest.mark.anyio


async def test_the_manifest_lists_every_file_and_each_can_be_fetched(
    admin: httpx.AsyncClient, url: str
) -> None:
    results = (await admin.get(f"{url}/results")).json()
    assert results["status"] == "completed"
    assert set(results["pipelines"]) == set(NAMES)
    assert len(results["files"]) == 6
    assert set(results["pipeline_results"]) == set(NAMES)
    for file in results["files"]:
        response = await admin.get(file["url"])
        assert response.status_code == 200
        assert hashlib.sha256(response.content).hexdigest() == file["sha256"]
        assert response.headers["Content-Type"].startswith(file["media_type"])


async def test_results_and_job_say_that_not_all_of_the_media_was_read(
    admin: httpx.AsyncClient, settings: Settings, finished: Any, url: str
) -> None:
    for name, (complete, seconds) in zip(NAMES, [(True, 10.0), (False, 5.9)], strict=True):
        path = settings.paths.results(finished.id) / name / "manifest.json"
        said = {"complete": complete, "covered_seconds": seconds}
        path.write_text(json.dumps(json.loads(path.read_text()) | said))
    for answer in [(await admin.get(address)).json() for address in (url, f"{url}/results")]:
        assert (answer["complete"], answer["covered_seconds"]) == (False, 5.9)
    told = (await admin.get(url)).json()["pipeline_results"]["face_detection"]
    assert (told["complete"], told["covered_seconds"]) == (True, 10.0)


async def test_what_no_pipeline_says_is_null(admin: httpx.AsyncClient, url: str) -> None:
    results = (await admin.get(f"{url}/results")).json()
    assert (results["complete"], results["covered_seconds"]) == (None, None)


async def test_a_manifest_that_a_crash_left_unreadable_is_as_if_it_was_not_there(
    admin: httpx.AsyncClient, url: str, finished: Any, settings: Settings
) -> None:
    folder = settings.paths.results(finished.id) / "face_detection"
    (folder / "manifest.json").write_text("{")
    results = (await admin.get(f"{url}/results")).json()
    assert set(results["pipelines"]) == {"scene_detection"}
