"""Uploads that are too large, that meet a full disk or that are cut off leave nothing behind."""

import shutil
import socket
import time
from collections import namedtuple
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.dependencies import Services
from api.settings import Settings
from tests.api.media.forms import BOUNDARY, JOBS, form, left_behind, post

Usage = namedtuple("Usage", "total used free")  # noqa: PYI024 - as shutil.disk_usage has it

pytestmark = pytest.mark.anyio


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
    body = form(('name="video"; filename="a.mp4"', "", b"x" * size))

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65536):
            yield body[start : start + 65536]

    async with app.router.lifespan_context(app):
        response = await post(client, body if announced else stream())
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
    assert left_behind(settings) == []


async def test_fields_over_the_limit_are_a_413(limited: Callable[..., Any]) -> None:
    app, client = limited(max_json_bytes=1000)
    async with app.router.lifespan_context(app):
        body = form(('name="config"', "", b"x" * 2000), ('name="video"', "", b"x"))
        assert (await post(client, body)).status_code == 413


async def test_a_disk_too_full_for_the_announced_length_is_a_507_before_anything_is_read(
    admin: httpx.AsyncClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = settings.minimum_free_bytes + 100
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(10**12, 10**12 - free, free))
    response = await post(admin, form(('name="video"; filename="a.mp4"', "", b"x" * 1000)))
    assert response.status_code == 507
    assert response.json()["error"]["code"] == "STORAGE_FULL"
    assert set(response.json()["error"]["detail"]) == {"required_gb", "available_gb"}
    assert left_behind(settings) == []


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
    body = form(('name="video"; filename="a.mp4"', "", b"x" * 5_000_000))
    response = await post(admin, body)
    assert response.status_code == 507
    assert left_behind(settings) == []


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
    part = form(('name="video"; filename="a.mp4"', "", b"x" * 300_000), end=False)
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
    while left_behind(settings) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left_behind(settings) == []


async def test_uploads_that_a_crash_left_behind_are_gone_after_the_next_start(
    settings: Settings, services: Services
) -> None:
    settings.paths.uploads.mkdir(parents=True)
    (settings.paths.uploads / "half").write_bytes(b"x")
    app = create_app(services=services)
    async with app.router.lifespan_context(app):
        assert list(settings.paths.uploads.iterdir()) == []
