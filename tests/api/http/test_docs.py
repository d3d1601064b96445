"""`/docs` works without internet and runs nothing but its own scripts."""

import re

import httpx
import pytest

pytestmark = pytest.mark.anyio


@pytest.fixture
async def page(stranger: httpx.AsyncClient) -> httpx.Response:
    return await stranger.get("/docs")


def loaded(page: httpx.Response) -> list[str]:
    """The addresses of what the page loads."""
    return re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]+)"', page.text)


async def test_all_that_the_page_loads_is_there(
    stranger: httpx.AsyncClient, page: httpx.Response
) -> None:
    assert len(loaded(page)) == 4
    for address in loaded(page):
        assert address.startswith("/docs/")
        assert (await stranger.get(address)).status_code == 200, address


async def test_the_page_may_run_its_own_scripts_alone(page: httpx.Response) -> None:
    policy = page.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert not re.search(r"unsafe|https?:|\*", policy)
    assert "<script>" not in page.text


async def test_browsers_keep_the_scripts(stranger: httpx.AsyncClient) -> None:
    script = await stranger.get("/docs/swagger-ui-bundle.js")
    assert script.headers["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("name", ["__init__.py", "index.html", "..%2F__init__.py", "nothing.js"])
async def test_no_other_file_is_served(stranger: httpx.AsyncClient, name: str) -> None:
    answer = await stranger.get(f"/docs/{name}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "NOT_FOUND"
