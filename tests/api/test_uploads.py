"""Uploads, the well-behaved and the others: written once, refused clearly, nothing left behind."""

import hashlib
import json
import shutil
import socket
import time
from collections import namedtuple
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import av
import httpx
import numpy as np
import pytest

from api.app import create_app
from api.dependencies import Services
from api.settings import Settings

pytestmark = pytest.mark.anyio

JOBS = "/api/v1/jobs"
SPEECH = {"selected_pipelines": "speech_activity"}
BOUNDARY = "b0undary"
Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil.disk_usage has it


def _form(*parts: tuple[str, str, bytes], end: bool = True) -> bytes:
    """Parts as (disposition's parameters, further header lines, content)."""
    body = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {parameters}\r\n{headers}\r\n".encode()
        + content
        + b"\r\n"
        for parameters, headers, content in parts
    )
    return body + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


def _left(settings: Settings) -> list[Path]:
    """Every file of uploads and media under the home."""
    root = settings.paths.root
    return [
        path for name in ("uploads", "media") for path in (root / name).rglob("*") if path.is_file()
    ]


async def _post(client: httpx.AsyncClient, body: Any, **headers: str) -> httpx.Response:
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return await client.post(JOBS, content=body, headers=kind | headers)


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
    assert sorted(_left(settings)) == [home.media(sha256), home.media_facts(sha256)]
    assert home.media(sha256).read_bytes() == clip
    assert json.loads(home.media_facts(sha256).read_text())["container"] == "mp4"


async def test_fields_may_come_after_the_file(admin: httpx.AsyncClient, clip: bytes) -> None:
    body = _form(
        ('name="video"; filename="a.mp4"', "", clip),
        ('name="selected_pipelines"', "", b" speech_activity, "),
        ('name="config"', "", b'{"speech_activity": {"threshold": 0.4}}'),
        ('name="tags"', "", b'{"batch": "7"}'),
        ('name="priority"', "", b"-3"),
    )
    job = (await _post(admin, body)).json()
    assert job["selected_pipelines"] == ["speech_activity"]
    assert job["config"] == {"speech_activity": {"threshold": 0.4}}
    assert (job["tags"], job["priority"]) == ({"batch": "7"}, -3)


async def test_a_form_that_trickles_in_byte_by_byte_is_the_same_form(
    admin: httpx.AsyncClient, clip: bytes
) -> None:
    body = _form(
        ('name="video"; filename="a.mp4"', "", clip),
        ('name="selected_pipelines"', "", b"speech_activity"),
    )

    async def trickle() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 7):
            yield body[start : start + 7]

    response = await _post(admin, trickle())
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
    response = await _post(admin, _form(*parts))
    assert response.status_code == 400, response.text
    assert response.json()["error"]["code"] == "INVALID_REQUEST"
    assert message in response.json()["detail"]
    assert _left(settings) == []
    assert dagster.asked == []


async def test_a_cut_off_mp4_is_refused_by_its_defect(
    admin: httpx.AsyncClient, clip: bytes, settings: Settings
) -> None:
    response = await admin.post(JOBS, files={"video": ("a.mp4", clip[: len(clip) // 2])})
    assert response.status_code == 400
    assert "cut off" in response.json()["detail"]
    assert _left(settings) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"no form at all", _form(('name="video"', "", b"x"), end=False), b"--" + b"x" * 100_000],
)
async def test_a_body_that_is_no_whole_form_is_refused(
    admin: httpx.AsyncClient, settings: Settings, body: bytes
) -> None:
    response = await _post(admin, body)
    assert response.status_code == 400
    assert _left(settings) == []


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
    media = await _post(admin, _form(('name="video"; filename="a.ts"', headers, clip)))
    assert media.status_code == 201, media.text
    text = await _post(admin, _form(('name="video"; filename="a.ts"', headers, b"just text")))
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


@pytest.fixture
def limited(
    services: Services, settings: Settings, secret_of: Callable[..., str]
) -> Callable[..., Any]:
    """A client of an app with other limits."""

    def make(**limits: int) -> Any:
        changed = settings.model_copy(update=limits)
        app = create_app(services=services.__class__(**vars(services) | {"settings": changed}))
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app),
            base_url="http://framegate",
            headers={"X-API-Key": secret_of("admin")},
        )
        return app, client

    return make


@pytest.mark.parametrize("announced", [True, False])
async def test_an_upload_over_the_limit_is_a_413_and_leaves_nothing(
    limited: Callable[..., Any], settings: Settings, *, announced: bool
) -> None:
    app, client = limited(max_upload_bytes=3_000_000)
    size = 20_000_000 if announced else 4_000_000
    body = _form(('name="video"; filename="a.mp4"', "", b"x" * size))

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    async with app.router.lifespan_context(app):
        response = await _post(client, body if announced else stream())
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert _left(settings) == []


async def test_fields_over_the_limit_are_a_413(limited: Callable[..., Any]) -> None:
    app, client = limited(max_json_bytes=1000)
    async with app.router.lifespan_context(app):
        body = _form(('name="config"', "", b"x" * 2000), ('name="video"', "", b"x"))
        assert (await _post(client, body)).status_code == 413


async def test_a_disk_too_full_for_the_announced_length_is_a_507_before_anything_is_read(
    admin: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = settings.minimum_free_bytes + 100
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**12, 10**12 - free, free))
    response = await _post(admin, _form(('name="video"; filename="a.mp4"', "", b"x" * 1000)))
    assert response.status_code == 507
    assert response.json()["error"]["code"] == "STORAGE_FULL"
    assert set(response.json()["error"]["detail"]) == {"required_gb", "available_gb"}
    assert _left(settings) == []


async def test_a_submission_of_media_that_lies_here_already_needs_room_for_its_results(
    admin: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = settings.minimum_free_bytes - 1
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**12, 10**12 - free, free))
    response = await admin.post("/api/v1/jobs", json={"media": "a" * 64})
    assert response.status_code == 507
    assert response.json()["error"]["code"] == "STORAGE_FULL"


async def test_a_disk_that_runs_full_meanwhile_is_a_507_and_leaves_nothing(
    admin: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    frees: Iterator[int] = iter([10**12, 10**12, *[0] * 100])
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**12, 0, next(frees)))
    body = _form(('name="video"; filename="a.mp4"', "", b"x" * 5_000_000))
    response = await _post(admin, body)
    assert response.status_code == 507
    assert _left(settings) == []


@pytest.mark.parametrize(
    "head",
    [
        "Content-Length: 1000000",  # more than will come
        "Transfer-Encoding: chunked",
    ],
)
def test_an_upload_that_is_cut_off_leaves_nothing(
    serve: Callable[[], int], settings: Settings, secret_of: Callable[..., str], head: str
) -> None:
    part = _form(('name="video"; filename="a.mp4"', "", b"x" * 300_000), end=False)
    if "chunked" in head:
        part = f"{len(part):x}\r\n".encode() + part + b"\r\n"
    secret, port = secret_of("admin"), serve()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            f"POST {JOBS} HTTP/1.1\r\nHost: a\r\nX-API-Key: {secret}\r\n{head}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode()
        )
        connection.sendall(part)
        time.sleep(0.3)
    deadline = time.monotonic() + 5
    while _left(settings) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert _left(settings) == []


async def test_uploads_that_a_crash_left_behind_are_gone_after_the_next_start(
    settings: Settings, services: Services
) -> None:
    settings.paths.uploads.mkdir(parents=True)
    (settings.paths.uploads / "half").write_bytes(b"x")
    app = create_app(services=services)
    async with app.router.lifespan_context(app):
        assert list(settings.paths.uploads.iterdir()) == []
