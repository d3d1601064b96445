"""A real Chromium that looks at the shared stack's Dagster UI."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from api.stack.events import StackReady
from contracts.door import DAGSTER_PREFIX
from tests.webserver import ask_dagster

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_OPTIONS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_PATIENCE_MILLISECONDS = 120_000

Graphql = Callable[..., Any]
Visit = Callable[[], Page]


@pytest.fixture(scope="session")
def chromium() -> Path:
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium here: install Debian's package `chromium`")
    return Path(found)


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """One browser for a whole module: while it is open, no other event loop runs in this thread."""
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*_OPTIONS])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def visit(browser: Browser, stack: StackReady) -> Visit:
    """A page of somebody who has no session yet; its paths are below the Dagster UI's address."""

    def visit() -> Page:
        page = browser.new_page(
            base_url=f"{stack.url}{DAGSTER_PREFIX}/", viewport={"width": 1600, "height": 1100}
        )
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        return page

    return visit


@pytest.fixture(scope="module")
def page(visit: Visit, admin_key: str) -> Page:
    """A page of an administrator who is signed in."""
    page = visit()
    sign_in(page, admin_key)
    return page


def sign_in(page: Page, key: str) -> None:
    """As people do."""
    page.goto("/sign-in")
    page.get_by_label("API key").fill(key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{DAGSTER_PREFIX}/**")


@pytest.fixture(scope="session")
def graphql(stack: StackReady) -> Graphql:
    """Asks the stack's Dagster, and gives the data of its answer."""

    def ask(document: str, **variables: Any) -> Any:
        return ask_dagster(stack.home, document, **variables)

    return ask
