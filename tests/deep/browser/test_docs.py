"""`/docs` as people meet it: a browser that reaches nothing but this address, a key, an answer."""

from collections.abc import Callable, Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from api.stack.events import StackReady

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("chromium")]


@pytest.fixture
def asked() -> list[str]:
    """The addresses of all that the page asked for."""
    return []


@pytest.fixture
def complaints() -> list[str]:
    """What the browser says of scripts that fail, or that a policy forbids."""
    return []


@pytest.fixture
def docs(visit: Callable[[], Page], asked: list[str], complaints: list[str]) -> Iterator[Page]:
    page = visit()
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda said: complaints.append(said.text))
    page.goto("/docs")
    yield page
    page.close()


def enter_key(docs: Page, key: str) -> None:
    docs.get_by_role("button", name="Authorize").first.click()
    ours = docs.locator(".auth-container", has_text="X-API-Key")
    ours.get_by_role("textbox").fill(key)
    ours.get_by_role("button", name="Apply credentials").click()
    docs.get_by_role("button", name="Close").first.click()


def test_the_page_asks_nobody_else_for_anything(
    docs: Page, stack: StackReady, asked: list[str], complaints: list[str]
) -> None:
    expect(docs.locator(".opblock")).not_to_have_count(0)
    assert {httpx.URL(url).netloc for url in asked} == {httpx.URL(stack.url).netloc}
    assert complaints == []


def test_an_operation_can_be_tried_with_a_key(docs: Page, admin_key: str) -> None:
    enter_key(docs, admin_key)
    operation = docs.locator("#operations-validation-validateConfig")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response")
    expect(answer).to_contain_text("200")
    expect(answer).to_contain_text('"valid": true')
