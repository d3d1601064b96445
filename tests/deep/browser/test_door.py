"""The door as people meet it: signing in, launching a run, looking without acting."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping

import httpx
import pytest
from playwright.sync_api import Page, expect

from api.stack.events import StackReady
from contracts.project import PROJECT
from pipelines.clips import clip
from tests.deep.browser.conftest import sign_in

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("chromium")]

PIPELINE = "brightness"
LAUNCHPAD = f"locations/framegate/jobs/{PIPELINE}/playground"
SET_CONFIG = "text => document.querySelector('.CodeMirror').CodeMirror.setValue(text)"
#: What a page of the UI could ask for itself.
MUTATE = """async () => {
  const answer = await fetch('/dagster/graphql', {
    method: 'POST',
    headers: {'Content-Type': 'application/json'},
    body: JSON.stringify({query: 'mutation { reloadWorkspace { __typename } }'}),
  });
  return answer.status;
}"""


@pytest.fixture(scope="module")
def key_of(rest: httpx.Client) -> Callable[[str, str], str]:
    def make(name: str, role: str) -> str:
        made = rest.post("/api/v1/keys", json={"name": name, "role": role})
        assert made.status_code == 201, made.text
        return str(made.json()["key"])

    return make


@pytest.fixture(scope="module")
def media(rest: httpx.Client) -> str:
    """The SHA-256 of a clip that is stored."""
    with clip("carphone").open("rb") as file:
        posted = rest.post(
            "/api/v1/jobs",
            files={"video": ("door.mp4", file)},
            data={"selected_pipelines": PIPELINE},
        )
    assert posted.status_code == 201, posted.text
    return str(posted.json()["media"])


@pytest.fixture(scope="module")
def engineer(visit: Callable[[], Page], key_of: Callable[[str, str], str]) -> Page:
    page = visit()
    sign_in(page, key_of("ana", "engineer"))
    return page


@pytest.fixture(scope="module")
def reader(visit: Callable[[], Page], key_of: Callable[[str, str], str]) -> Page:
    """In a browser of their own, with a session of their own."""
    page = visit()
    sign_in(page, key_of("rob", "reader"))
    return page


@pytest.fixture(scope="module")
def launched(engineer: Page, media: str) -> str:
    """The id of a run that was launched in the launchpad."""
    engineer.goto(LAUNCHPAD)
    expect(engineer.locator(".CodeMirror-line", has_text="media: ''")).to_be_visible()
    config = {"ops": {"probe": {"config": {"media": media, "filename": "door.mp4"}}}}
    engineer.evaluate(SET_CONFIG, json.dumps(config))
    button = engineer.get_by_role("button", name="Launch Run")
    expect(button).to_be_enabled()
    button.click()
    engineer.wait_for_url(re.compile(r"/dagster/runs/[0-9a-f-]{36}"))
    return engineer.url.rpartition("/")[2].partition("?")[0]


def test_whoever_is_not_signed_in_is_led_to_the_sign_in_page_and_back(
    visit: Callable[[], Page], admin_key: str
) -> None:
    page = visit()
    page.goto("jobs")
    page.get_by_label("API key").fill("fg_wrong_key")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_contain_text("not valid")
    page.get_by_label("API key").fill(admin_key)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dagster/jobs")

    expect(page.get_by_text(PIPELINE).first).to_be_visible()


def test_a_run_of_the_ui_names_whoever_launched_it(
    engineer: Page, launched: str, rest: httpx.Client
) -> None:
    engineer.goto(f"runs/{launched}")

    expect(engineer.get_by_text("ana").first).to_be_visible()
    assert rest.get(f"/api/v1/jobs/{launched}").json()["owner"] == "ana"


def test_a_reader_sees_the_run(reader: Page, launched: str) -> None:
    reader.goto(f"runs/{launched}")

    expect(reader.get_by_text(launched[:8]).first).to_be_visible()


def test_a_reader_cannot_act(reader: Page) -> None:
    reader.goto(LAUNCHPAD)  # the UI shows the job instead

    expect(reader.get_by_role("heading", name=PIPELINE)).to_be_visible()
    expect(reader.get_by_role("button", name="Launch Run")).to_have_count(0)
    assert reader.evaluate(MUTATE) == 403


def test_an_engineer_can_act(engineer: Page) -> None:
    engineer.goto("runs")

    assert engineer.evaluate(MUTATE) == 200


def test_signing_out_closes_the_ui(
    visit: Callable[[], Page], key_of: Callable[[str, str], str]
) -> None:
    page = visit()
    sign_in(page, key_of("out", "reader"))
    page.goto("/sign-in")
    page.get_by_role("button", name="Sign out").click()
    page.goto("runs")

    expect(page.get_by_label("API key")).to_be_visible()


def test_a_link_opens_the_ui_once(
    visit: Callable[[], Page], stack: StackReady, bare_environment: Mapping[str, str]
) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "api.cli", "open", "--json", "--home", stack.home],
        cwd=PROJECT,
        env=bare_environment,
        stdout=subprocess.PIPE,
        check=True,
    )
    link: str = json.loads(told.stdout)["url"]
    page, other = visit(), visit()
    page.goto(link)
    page.wait_for_url("**/dagster/**")
    other.goto(link)

    expect(other.get_by_role("alert")).to_contain_text("has been used")


def test_the_ui_follows_runs_through_the_door(engineer: Page, launched: str) -> None:
    """Its pages get what happens over the WebSocket."""
    with engineer.expect_websocket() as opened:
        engineer.goto(f"runs/{launched}")

    assert "/dagster/graphql" in opened.value.url
