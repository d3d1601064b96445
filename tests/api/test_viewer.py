"""A viewer's build at `/viewer`: its files, its pages, and who may open them."""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from api.app import create_app
from api.dependencies import Services
from api.settings import Settings
from api.viewer import policy_of

pytestmark = pytest.mark.anyio

INDEX = '<!doctype html><script src="/viewer/assets/main.js"></script><div id="root"></div>'
SCRIPT = "document.title = 'a viewer'"


@pytest.fixture
def build(tmp_path: Path) -> Path:
    """What a viewer's build made, and a file beside it."""
    folder = tmp_path / "dist"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "main.js").write_text(SCRIPT)
    (tmp_path / "secret.js").write_text("not of the build")
    return folder


@pytest.fixture
def settings(settings: Settings, build: Path) -> Settings:
    return settings.model_copy(update={"viewer": build})


@pytest.fixture
async def reader(stranger: httpx.AsyncClient, secret_of: Callable[..., str]) -> httpx.AsyncClient:
    """The browser of somebody who has signed in."""
    await stranger.post("/sign-in", data={"key": secret_of("reader")})
    return stranger


@pytest.mark.parametrize(
    "path", ["/viewer", "/viewer/", "/viewer/index.html", "/viewer/jobs", "/viewer/jobs/7c9e6679"]
)
async def test_every_page_is_the_index(reader: httpx.AsyncClient, path: str) -> None:
    answer = await reader.get(path)
    assert (answer.status_code, answer.text) == (200, INDEX)
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/viewer/", "/viewer/index.html", "/viewer/jobs"])
async def test_pages_lead_strangers_to_where_a_key_signs_in(
    stranger: httpx.AsyncClient, path: str
) -> None:
    answer = await stranger.get(path)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/viewer-connect")
    assert (await stranger.get("/viewer-connect")).status_code == 200


async def test_a_file_is_served_as_what_it_is_and_not_twice(stranger: httpx.AsyncClient) -> None:
    first = await stranger.get("/viewer/assets/main.js")
    assert (first.status_code, first.text) == (200, SCRIPT)
    assert "javascript" in first.headers["Content-Type"]
    again = await stranger.get(
        "/viewer/assets/main.js", headers={"If-None-Match": first.headers["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize(
    "path",
    ["/viewer/assets/gone.js", "/viewer/..%2Fsecret.js", "/viewer/assets/..%2F..%2Fsecret.js"],
)
async def test_a_file_that_is_not_of_the_build_is_not_found(
    reader: httpx.AsyncClient, path: str
) -> None:
    answer = await reader.get(path)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"


async def test_links_lead_nowhere_outside(reader: httpx.AsyncClient, build: Path) -> None:
    (build / "leak.js").symlink_to(build.parent / "secret.js")
    (build / "above").symlink_to(build.parent)
    assert (await reader.get("/viewer/leak.js")).status_code == 404
    assert (await reader.get("/viewer/above/secret.js")).status_code == 404


async def test_nothing_can_be_posted(reader: httpx.AsyncClient) -> None:
    assert (await reader.post("/viewer/")).status_code == 405


async def test_scripts_come_from_here_alone(reader: httpx.AsyncClient) -> None:
    policy = (await reader.get("/viewer/")).headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "connect-src 'self' blob: data:;" in policy
    assert "http" not in policy


def test_of_inline_scripts_those_of_the_build_alone_may_run() -> None:
    digest = base64.b64encode(hashlib.sha256(b"start()").digest()).decode()
    policy = policy_of('<script src="a.js"></script><script type="module">start()</script>')
    assert f"script-src 'self' 'sha256-{digest}';" in policy


@pytest.mark.parametrize("path", ["/viewer/", "/viewer-connect"])
async def test_without_the_setting_there_is_no_viewer(services: Services, path: str) -> None:
    settings = services.settings.model_copy(update={"viewer": None})
    transport = httpx.ASGITransport(create_app(services=replace(services, settings=settings)))
    async with httpx.AsyncClient(transport=transport, base_url="http://framegate") as client:
        assert (await client.get(path)).status_code == 404


def test_a_folder_that_is_no_build_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=r"has no index\.html: name the folder"):
        Settings(home=tmp_path, viewer=tmp_path)
