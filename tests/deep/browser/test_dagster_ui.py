"""What people see in the Dagster UI, looked at with a real browser."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from api.stack.events import StackReady
from contracts.project import PROJECT
from contracts.run import FILENAME_TAG
from pipelines.clips import clip

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.usefixtures("chromium")]

OURS = ("face_detection", "scene_detection", "speech_activity")
PIPELINE = "brightness"
ASSET = f"assets/annotations/{PIPELINE}"
STALE = """
query Stale($key: AssetKeyInput!, $media: String!) {
  assetNodeOrError(assetKey: $key) {
    ... on AssetNode { staleStatus(partition: $media) staleCauses(partition: $media) { reason } }
  }
}
"""
RELOAD = """
mutation Reload {
  reloadRepositoryLocation(repositoryLocationName: "framegate") {
    ... on WorkspaceLocationEntry { loadStatus }
  }
}
"""


@pytest.fixture(scope="module")
def submit(rest: httpx.Client) -> Callable[[str], dict[str, Any]]:
    def run(filename: str) -> dict[str, Any]:
        """A job on a real clip under this name, once it has ended."""
        with clip("carphone").open("rb") as media:
            posted = rest.post(
                "/api/v1/jobs",
                files={"video": (filename, media)},
                data={
                    "selected_pipelines": PIPELINE,
                    "config": '{"brightness": {"dark_below": 0.9}}',
                },
            )
        assert posted.status_code == 201, posted.text
        location = posted.headers["Location"]
        rest.get(f"{location}/events", timeout=120.0)  # ends when the job does
        ended: dict[str, Any] = rest.get(location).json()
        assert ended["status"] == "completed", ended
        return ended

    return run


@pytest.fixture(scope="module")
def job(submit: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    return submit("lamp.mp4")


@pytest.fixture(scope="module")
def demo_job(bare_environment: Mapping[str, str], stack: StackReady) -> dict[str, Any]:
    """The job of `framegate demo` in the home of the stack, ended."""
    command = [sys.executable, "-m", "api.cli", "demo", "--json", "--home", stack.home]
    shown = subprocess.run(
        command, cwd=PROJECT, env=bare_environment, stdout=subprocess.PIPE, check=True
    )
    job: dict[str, Any] = json.loads(shown.stdout)["job"]
    return job


@pytest.fixture
def newer_version(
    job: dict[str, Any],  # noqa: ARG001 - it ran before
    third_party: Path,
    graphql: Callable[..., Any],
) -> Iterator[None]:
    """The pipeline's package as of a later version, loaded as by "Reload definitions"."""
    card = third_party / "framegate_brightness" / "card.py"
    before = card.read_text()
    card.write_text(before.replace('version="1.0.0"', 'version="2.0.0"'))
    graphql(RELOAD)
    yield
    card.write_text(before)
    graphql(RELOAD)


def _is_drawn(picture: Locator) -> bool:
    """Whether the browser has got and decoded the picture."""
    expect(picture).to_be_visible()
    return bool(
        picture.evaluate("async image => { await image.decode(); return image.naturalWidth > 0 }")
    )


def test_a_run_shows_its_table_and_opens_its_picture(page: Page, job: dict[str, Any]) -> None:
    page.goto(f"runs/{job['id']}")
    event = page.locator("div", has_text="dark seconds").filter(has=page.get_by_text("Show schema"))

    expect(event.last.get_by_role("columnheader", name="brightness")).to_be_visible()
    event.last.get_by_text("[Show Markdown]").first.click()
    assert _is_drawn(page.get_by_role("dialog").get_by_role("img", name=PIPELINE))


def test_the_demos_run_shows_that_each_step_ended_and_what_it_found(
    page: Page, demo_job: dict[str, Any]
) -> None:
    for name in OURS:
        page.goto(f"runs/{demo_job['id']}?{urlencode({'logs': f'step:{name}'})}")
        expect(page.get_by_text(f'Finished execution of step "{name}"').first).to_be_visible()
        found = demo_job["pipeline_results"][name]["annotation_count"]
        headline = re.compile(rf"^{found} (faces|scenes|speech segments)$")
        expect(page.get_by_text(headline).first).to_be_visible()


def test_annotations_are_shown_by_media_with_the_picture_in_place(
    page: Page, job: dict[str, Any]
) -> None:
    page.goto(f"{ASSET}?{urlencode({'view': 'partitions', 'partition': job['media']})}")

    expect(page.get_by_text(job["media"]).locator("visible=true").first).to_be_visible()
    expect(page.get_by_role("cell", name="lamp.mp4")).to_be_visible()
    assert _is_drawn(page.get_by_role("img", name=PIPELINE))


def test_runs_are_found_by_their_tags(
    page: Page, job: dict[str, Any], submit: Callable[[str], dict[str, Any]]
) -> None:
    other = submit("another.mp4")
    page.goto(f"runs?{urlencode({'q[0]': f'tag:{FILENAME_TAG}=lamp.mp4'})}")

    expect(page.get_by_text(f"{FILENAME_TAG}: lamp.mp4").first).to_be_visible()
    expect(page.get_by_role("link", name=job["id"][:8])).to_be_visible()
    expect(page.get_by_role("link", name=other["id"][:8])).to_have_count(0)


def test_the_launchpad_explains_the_config_and_refuses_what_is_out_of_range(page: Page) -> None:
    page.goto(f"locations/framegate/jobs/{PIPELINE}/playground")
    line = page.locator(".CodeMirror-line", has_text="dark_below: 0.2")
    expect(page.locator(".CodeMirror-line", has_text="media: ''")).to_be_visible()
    line.click()

    expect(page.get_by_text("Float, at least 0.0, at most 1.0")).to_be_visible()
    expect(page.get_by_text("mean brightness, from 0 to 1")).to_be_visible()
    page.keyboard.press("End")
    page.keyboard.type("000", delay=20)
    page.keyboard.press("Home")
    page.keyboard.press("End")
    for _ in "0.2000":
        page.keyboard.press("Backspace")
    page.keyboard.type("7", delay=20)
    page.get_by_role("button", name="Launch Run").click()
    expect(page.get_by_text("7 is out of range: at least 0.0, at most 1.0.")).to_be_visible()


@pytest.mark.usefixtures("chromium", "newer_version")
def test_a_new_version_of_a_pipeline_marks_its_older_annotations(
    page: Page,
    job: dict[str, Any],
    graphql: Callable[..., Any],
    rest: httpx.Client,
) -> None:
    key = {"path": ["annotations", PIPELINE]}
    asset = graphql(STALE, key=key, media=job["media"])["assetNodeOrError"]
    assert asset["staleStatus"] == "STALE"
    assert [cause["reason"] for cause in asset["staleCauses"]] == ["has a new code version"]

    page.goto(f"{ASSET}?{urlencode({'view': 'partitions', 'partition': job['media']})}")
    expect(page.get_by_text("Unsynced (1)")).to_be_visible()
    assert rest.get(f"/api/v1/jobs/{job['id']}").json() == job
