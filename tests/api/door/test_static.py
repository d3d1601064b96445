"""The scripts of Dagster's UI, which the door itself hands out."""

from collections.abc import Callable
from pathlib import Path

import dagster_webserver
import httpx
import pytest

from tests.api.door.conftest import Upstream

pytestmark = pytest.mark.anyio

BUILD = Path(dagster_webserver.__file__).parent / "webapp" / "build"
SCRIPT = next((BUILD / "_next" / "static" / "chunks").glob("main-*.js"))
ADDRESS = f"/dagster/{SCRIPT.relative_to(BUILD)}"

ClientOf = Callable[..., httpx.AsyncClient]


async def test_a_script_is_that_of_the_package_and_is_kept(
    client_of: ClientOf, upstream: Upstream
) -> None:
    answer = await client_of("reader").get(ADDRESS)
    assert answer.content == SCRIPT.read_bytes()
    assert answer.headers["Content-Type"].startswith(("text/javascript", "application/javascript"))
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert upstream.reached == []


@pytest.mark.parametrize("path", ["nothing.js", "chunks", "..%2F..%2Findex.html", "chunks/"])
async def test_nothing_else_is_handed_out(
    client_of: ClientOf, upstream: Upstream, path: str
) -> None:
    answer = await client_of("reader").get(f"/dagster/_next/static/{path}")
    assert answer.status_code == 404
    assert "immutable" not in answer.headers.get("Cache-Control", "")
    assert answer.json()["error"]["code"] == "NOT_FOUND"
    assert upstream.reached == []


async def test_it_needs_a_key_as_all_of_the_ui_does(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get(ADDRESS)).status_code == 401
