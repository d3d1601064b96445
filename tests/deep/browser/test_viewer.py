"""A viewer's build in a real browser: one click on a link, and it reads jobs with the key."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from api.auth.links import viewer_link
from api.stack.events import StackReady

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("chromium")]

INDEX = """<!doctype html>
<html><body><p id="said"></p>
<script>document.title = "A viewer";</script>
<script type="module" src="/viewer/assets/main.js"></script>
</body></html>
"""
#: Reads its key where the public viewer does, and sends no cookies, as that does.
MAIN = """
const key = localStorage.getItem("videoannotator_api_token") ?? "";
const answer = await fetch("/api/v1/jobs", {
  headers: { Authorization: `Bearer ${key}` }, credentials: "omit",
});
document.getElementById("said").textContent = `${location.pathname} ${answer.status}`;
"""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("viewer")
    (folder / "assets").mkdir()
    (folder / "index.html").write_text(INDEX)
    (folder / "assets" / "main.js").write_text(MAIN)
    return folder


@pytest.fixture(scope="module")
def with_viewer(
    running_stack: Callable[..., Any], build: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[StackReady, str]]:
    home = tmp_path_factory.mktemp("stack") / "home"
    with running_stack(home, FRAMEGATE_VIEWER=str(build)) as stack_and_key:
        yield stack_and_key


@pytest.fixture
def page(browser: Browser, with_viewer: tuple[StackReady, str]) -> Iterator[Page]:
    """Of a browser that was never here."""
    page = browser.new_page(base_url=with_viewer[0].url)
    yield page
    page.close()


def test_a_link_opens_the_viewer_signed_in(page: Page, with_viewer: tuple[StackReady, str]) -> None:
    stack, key = with_viewer
    page.goto(viewer_link(stack.url, key))
    expect(page.locator("#said")).to_have_text("/viewer/ 200")
    expect(page).to_have_title("A viewer")
    assert key not in page.url


def test_a_page_within_the_viewer_can_be_loaded_again(
    page: Page, with_viewer: tuple[StackReady, str]
) -> None:
    stack, key = with_viewer
    page.goto(viewer_link(stack.url, key))
    expect(page.locator("#said")).to_have_text("/viewer/ 200")
    page.goto("/viewer/jobs/some")
    expect(page.locator("#said")).to_have_text("/viewer/jobs/some 200")


def test_a_wrong_key_opens_nothing_and_is_not_kept(
    page: Page, with_viewer: tuple[StackReady, str]
) -> None:
    page.goto("/viewer/")
    page.get_by_label("API key").fill("fg_wrong_key")
    page.get_by_role("button", name="Open the viewer").click()
    expect(page.get_by_role("alert")).to_have_text("This API key is not valid.")
    assert page.evaluate("localStorage.getItem('videoannotator_api_token')") is None
    assert with_viewer[1] not in page.content()


def test_signing_out_takes_the_key_from_the_browser(
    page: Page, with_viewer: tuple[StackReady, str]
) -> None:
    stack, key = with_viewer
    page.goto(viewer_link(stack.url, key))
    expect(page.locator("#said")).to_have_text("/viewer/ 200")
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("button", name="Sign in")).to_be_visible()
    assert page.evaluate("localStorage.getItem('videoannotator_api_token')") is None
    page.goto("/viewer/")
    expect(page.get_by_role("button", name="Open the viewer")).to_be_visible()
