"""The ZIP of a job's results: what is in it, and how it is named."""

import io
import json
import zipfile
from typing import Any

import httpx
import pytest

from api.settings import Settings
from contracts.run import PROBE_OP

pytestmark = pytest.mark.anyio


async def test_head_reads_no_file_of_the_zip(
    admin: httpx.AsyncClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.routes.results.stream_archive", None)
    assert (await admin.head(f"{url}/artifacts")).status_code == 200


async def test_the_zip_holds_one_video_and_what_the_readme_lists(
    admin: httpx.AsyncClient, url: str
) -> None:
    response = await admin.get(f"{url}/artifacts")
    assert response.headers["Content-Type"] == "application/zip"
    assert int(response.headers["Content-Length"]) == len(response.content)
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "README.txt",
            "тест holiday.mov",
            "manifest.json",
            "report.html",
            "тест holiday.eaf",
            "a_face_analysis.json",
            "preview.png",
            "a_faces.m4v",
            "scene_detection_preview.png",
            "coco/annotations/instances_a.json",
            "coco/images/README.txt",
        ]
        readme = archive.read("README.txt").decode()
        assert all(name in readme for name in archive.namelist()[1:])
        assert archive.read("тест holiday.mov") == b"the video"
        manifest = json.loads(archive.read("manifest.json"))
        assert set(manifest).isdisjoint(
            {"results", "annotations", "scenes", "attributes", "emotions", "face_id"}
        )


@pytest.mark.parametrize(
    "named",
    ["mp3 x.mp3", "mpegts x.ts", "webm x.webm", "3gp x.mp4", "flac x.flac", "yuv4mpegpipe x.y4m"],
)
async def test_the_zip_names_the_media_by_its_content(
    admin: httpx.AsyncClient,
    url: str,
    finished: Any,
    settings: Settings,
    named: str,
) -> None:
    container, name = named.split()
    media = finished.config["ops"][PROBE_OP]["config"]["media"]
    settings.paths.media_facts(media).write_text(json.dumps({"container": container}))
    response = await admin.get(f"{url}/artifacts")
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.namelist()[1] == name.replace("x", "тест holiday")


async def test_the_zip_of_a_job_whose_media_is_gone_is_a_404(
    admin: httpx.AsyncClient, url: str, finished: Any, settings: Settings
) -> None:
    media = finished.config["ops"][PROBE_OP]["config"]["media"]
    settings.paths.media(media).unlink()
    assert (await admin.get(f"{url}/artifacts")).status_code == 404
    assert (await admin.get(f"{url}/results")).status_code == 200
