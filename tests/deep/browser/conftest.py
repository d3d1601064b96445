"""A real Chromium that looks at the shared stack's Dagster UI."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from api.stack.events import StackReady

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


@pytest.fixture(scope="session")
def chromium() -> Path:
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium here: install Debian's package `chromium`")
    return Path(found)


@pytest.fixture(scope="module")
def page(chromium: Path, stack: StackReady) -> Iterator[Page]:
    """One page for a whole module: while it is open, no other event loop runs in this thread."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*_OPTIONS])
        page = browser.new_page(
            base_url=stack.dagster_url, viewport={"width": 1600, "height": 1100}
        )
        page.set_default_timeout(_PATIENCE_MILLISECONDS)
        expect.set_options(timeout=_PATIENCE_MILLISECONDS)
        yield page
        browser.close()


@pytest.fixture(scope="session")
def graphql(stack: StackReady) -> Graphql:
    """Asks the stack's Dagster, and gives the data of its answer."""

    def ask(document: str, **variables: Any) -> Any:
        answer = httpx.post(
            f"{stack.dagster_url}/graphql",
            json={"query": document, "variables": variables},
            timeout=120.0,
            trust_env=False,
        ).json()
        assert "errors" not in answer, answer
        return answer["data"]

    return ask
