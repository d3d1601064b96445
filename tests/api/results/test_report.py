"""The report of a job: what it says, that it needs nothing else, and that it runs nothing."""

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.settings import Settings
from contracts.run import (
    FAILURE_TAG,
    KIND,
    KIND_TAG,
    MEDIA_FACTS_TAG,
    Failure,
    MediaFacts,
    pipeline_tags,
)

PIPELINE = "scene_detection"
EVIL = "<script>alert('x')<script> & \"co\".mp4"
MANIFEST: dict[str, Any] = {
    "pipeline": PIPELINE,
    "version": "1.0.0",
    "config": {"threshold": 0.5, "device": "cpu"},
    "annotation_count": 1234,
    "noun": "scenes",
    "device": "cuda:0 NVIDIA H100",
    "timings": {"decode_seconds": 1.5, "inference_seconds": 12.25, "write_seconds": 0.1},
    "table": [{"scene": 1, "start": "0:00.0"}, {"scene": 2, "start": "0:01.5"}],
    "notes": ["The file is <damaged>."],
    "facts": {"frames": 298},
    "files": [
        {
            "name": "sheet.png",
            "role": "preview",
            "media_type": "image/png",
            "size_bytes": 3,
            "sha256": "ab" * 32,
        }
    ],
}

pytestmark = pytest.mark.anyio

Page = Callable[..., Any]


@pytest.fixture
def page(admin: httpx.AsyncClient, dagster: Any, settings: Settings) -> Page:
    """Ends a job as it is told, and gives the answer of `/report`."""

    async def get(
        status: str = "SUCCESS", *, published: bool = True, tags: Any = None
    ) -> httpx.Response:
        facts = MediaFacts(EVIL, 1000, 9.75)
        run = dagster.add(
            PIPELINE,
            tags={
                KIND_TAG: KIND,
                MEDIA_FACTS_TAG: facts.to_tag(),
                **pipeline_tags([PIPELINE]),
                **(tags or {}),
            },
        )
        run.end(status)
        if published:
            folder = settings.paths.results(run.id) / PIPELINE
            folder.mkdir(parents=True)
            (folder / "manifest.json").write_text(json.dumps(MANIFEST))
            (folder / "sheet.png").write_bytes(b"png")
        return await admin.get(f"/api/v1/jobs/{run.id}/report")

    return get


async def test_the_report_says_what_was_asked_found_and_noted_and_how(page: Page) -> None:
    text = (await page()).text
    for said in (
        *("1,234 scenes", "The file is &lt;damaged&gt;.", "0:01.5", "scene_detection 1.0.0"),
        *("transnetv2", "threshold: 0.5", "cuda:0 NVIDIA H100", "12.25", "298", "ab" * 32, "9.750"),
    ):
        assert said.lower() in text.lower(), said


async def test_pictures_are_inside_and_nothing_is_loaded(page: Page) -> None:
    response = await page()
    assert f"data:image/png;base64,{base64.b64encode(b'png').decode()}" in response.text
    sources = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", response.text)
    assert all(source.startswith("data:") for source in sources)
    assert "url(" not in response.text
    assert "script" not in response.headers["Content-Security-Policy"]
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")


async def test_names_that_strangers_gave_are_text(page: Page) -> None:
    text = (await page()).text
    assert "<script" not in text
    assert "&lt;script&gt;" in text


async def test_the_report_of_a_failed_job_says_why_and_what_to_do(page: Page) -> None:
    failure = Failure("MEDIA_ERROR", "The file is cut off.", "Copy it again.")
    response = await page("FAILURE", published=False, tags={FAILURE_TAG: failure.to_tag()})
    assert response.status_code == 200
    assert "MEDIA_ERROR" in response.text
    assert "The file is cut off. Copy it again." in re.sub(r"\s+", " ", response.text)


async def test_a_manifest_of_an_older_version_has_a_report_too(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("facts", "notes", "table", "timings", "config", "device"):
        monkeypatch.delitem(MANIFEST, key)
    assert "1,234 scenes" in (await page()).text


async def test_a_job_that_still_runs_has_no_report(admin: httpx.AsyncClient, dagster: Any) -> None:
    run = dagster.add(
        PIPELINE, tags={KIND_TAG: KIND, **pipeline_tags([PIPELINE])}, status="STARTED"
    )
    response = await admin.get(f"/api/v1/jobs/{run.id}/report")
    assert (response.status_code, response.json()["error"]["code"]) == (409, "JOB_NOT_FINISHED")
