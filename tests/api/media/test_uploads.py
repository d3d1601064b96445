"""Uploads, the well-behaved and the others: written once, refused clearly."""

import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from api.settings import Settings
from tests.api.media.forms import JOBS, form, left_behind, post

SPEECH = {"selected_pipelines": "speech_activity"}

pytestmark = pytest.mark.anyio


async def test_an_upload_is_stored_once_under_its_hash_with_what_probing_gave(
    admin: httpx.AsyncClient, clip: bytes, settings: Settings
) -> None:
    sha256 = hashlib.sha256(clip).hexdigest()
    for name in ("one.mp4", "two.mov"):
        response = await admin.post(JOBS, files={"video": (name, clip)}, data=SPEECH)
        assert response.status_code == 201, response.text
        assert response.json()["video_filename"] == name
        assert response.json()["media"] == sha256
        assert response.json()["video_size_bytes"] == len(clip)
        assert response.json()["video_duration_seconds"] == pytest.approx(0.5)
    home = settings.paths
    assert sorted(left_behind(settings)) == [home.media(sha256), home.media_facts(sha256)]
    assert home.media(sha256).read_bytes() == clip
    assert json.loads(home.media_facts(sha256).read_text())["container"] == "mp4"


async def test_fields_may_come_after_the_file(admin: httpx.AsyncClient, clip: bytes) -> None:
    body = form(
        ('name="video"; filename="a.mp4"', "", clip),
        ('name="selected_pipelines"', "", b" speech_activity, "),
        ('name="config"', "", b'{"speech_activity": {"threshold": 0.4}}'),
        ('name="tags"', "", b'{"batch": "7"}'),
        ('name="priority"', "", b"-3"),
    )
    job = (await post(admin, body)).json()
    assert job["selected_pipelines"] == ["speech_activity"]
    assert job["config"] == {"speech_activity": {"threshold": 0.4}}
    assert (job["tags"], job["priority"]) == ({"batch": "7"}, -3)


async def test_a_form_that_trickles_in_byte_by_byte_is_the_same_form(
    admin: httpx.AsyncClient, clip: bytes
) -> None:
    body = form(
        ('name="video"; filename="a.mp4"', "", clip),
        ('name="selected_pipelines"', "", b"speech_activity"),
    )

    async def trickle() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    response = await post(admin, trickle())
    assert response.status_code == 201
    assert response.json()["media"] == hashlib.sha256(clip).hexdigest()


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([('name="video"; filename="a.mp4"', "", b"")], "empty"),
        ([('name="video"; filename="a.mp4"', "", b"just text")], "not video or audio"),
        ([('name="config"', "", b"{}")], "lacks the file 'video'"),
        ([('name="video"; filename="a"', "", b"x"), ('name="video"', "", b"y")], "more than one"),
        ([('name="video"', "", b"x"), *[('name="tags"', "", b"1")] * 2], "more than once"),
        ([('name="video"', "", b"x"), ('name="config"', "", b"\xff")], "UTF-8"),
        ([('name="video"', "", b"x"), ('name="config"', "", b"{")], "JSON"),
        ([('name="video"', "", b"x"), ('name="config"', "", b'{"a": NaN}')], "NaN"),
        ([('name="video"', "", b"x"), ('name="priority"', "", b"1e3")], "integer"),
        ([('name="video"', "", b"x"), ('name="priority"', "", b"1001")], "priority"),
        ([('name="video"', "", b"x"), ('name="tags"', "", b'{"a b": "c"}')], "tags"),
        ([('name="video"', "", b"x"), ('name="vido"', "", b"y")], "'vido'"),
    ],
)
async def test_a_bad_form_is_a_400_that_names_the_defect_and_leaves_nothing(
    admin: httpx.AsyncClient, dagster: Any, settings: Settings, parts: Any, message: str
) -> None:
    response = await post(admin, form(*parts))
    assert response.status_code == 400, response.text
    assert response.json()["error"]["code"] == "INVALID_REQUEST"
    assert message in response.json()["detail"]
    assert left_behind(settings) == []
    assert dagster.asked == []


async def test_a_cut_off_mp4_is_refused_by_its_defect(
    admin: httpx.AsyncClient, clip: bytes, settings: Settings
) -> None:
    response = await admin.post(JOBS, files={"video": ("a.mp4", clip[: len(clip) // 2])})
    assert response.status_code == 400
    assert "cut off" in response.json()["detail"]
    assert left_behind(settings) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"no form at all", form(('name="video"', "", b"x"), end=False), b"--" + b"x" * 100_000],
)
async def test_a_body_that_is_no_whole_form_is_refused(
    admin: httpx.AsyncClient, settings: Settings, body: bytes
) -> None:
    response = await post(admin, body)
    assert response.status_code == 400
    assert left_behind(settings) == []


@pytest.mark.parametrize("kind", ["multipart/form-data", "multipart/form-data; boundary="])
async def test_a_form_without_a_boundary_is_refused(admin: httpx.AsyncClient, kind: str) -> None:
    response = await admin.post(JOBS, content=b"x", headers={"Content-Type": kind})
    assert response.status_code == 400


@pytest.mark.parametrize(
    "kind", ["text/vnd.trolltech.linguist", "image/gif", "Text/HTML; charset=utf-8", "none at all"]
)
async def test_the_content_decides_and_not_the_type_that_a_client_guesses(
    admin: httpx.AsyncClient, clip: bytes, kind: str
) -> None:
    headers = f"Content-Type: {kind}\r\n"
    media = await post(admin, form(('name="video"; filename="a.ts"', headers, clip)))
    assert media.status_code == 201, media.text
    text = await post(admin, form(('name="video"; filename="a.ts"', headers, b"just text")))
    assert text.status_code == 400
    assert "not video or audio" in text.json()["detail"]


@pytest.mark.parametrize("name", ["capture.ts", "capture.gif"])
async def test_a_real_client_may_upload_what_its_name_is_taken_for(
    admin: httpx.AsyncClient, tmp_path: Path, name: str
) -> None:
    """httpx, which the command line uses, guesses text and a still image from these names."""
    path = tmp_path / name
    with av.open(str(path), "w") as container:
        stream = container.add_stream("gif" if name.endswith("gif") else "mpeg2video", 25)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "rgb8" if name.endswith("gif") else "yuv420p"
        for picture in np.random.default_rng(0).integers(0, 255, (25, 48, 64, 3), np.uint8):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    response = await admin.post(JOBS, files={"video": (name, path.read_bytes())}, data=SPEECH)
    assert response.status_code == 201, response.text
