"""What clients see of many runs: newest first, in pages, by status and by pipeline."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from contracts.run import KIND, KIND_TAG, pipeline_tags

pytestmark = pytest.mark.anyio

FACES, SCENES = "face_detection", "scene_detection"


def _tags(*pipelines: str, **more: str) -> dict[str, str]:
    return {KIND_TAG: KIND, **pipeline_tags(pipelines), **more}


async def test_jobs_are_listed_newest_first_in_pages(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    ids = [dagster.add(tags=_tags(FACES)).id for _ in range(5)][::-1]
    dagster.add(tags={})
    pages = [
        (await admin.get("/api/v1/jobs", params={"page": page, "per_page": 2})).json()
        for page in (1, 2, 3, 4)
    ]
    assert [[job["id"] for job in page["jobs"]] for page in pages] == [
        ids[:2],
        ids[2:4],
        ids[4:],
        [],
    ]
    assert [(page["page"], page["per_page"], page["total"]) for page in pages] == [
        (page, 2, 5) for page in (1, 2, 3, 4)
    ]


async def test_a_list_can_be_followed_by_cursor_to_its_end(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    ids = [dagster.add().id for _ in range(5)][::-1]
    seen, cursor = [], ""
    while cursor is not None:
        parameters = {"per_page": 2} | ({"cursor": cursor} if cursor else {})
        page = (await admin.get("/api/v1/jobs", params=parameters)).json()
        seen += [job["id"] for job in page["jobs"]]
        cursor = page["next_cursor"]
    assert seen == ids


async def test_runs_that_are_no_jobs_are_neither_listed_nor_counted(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    ours = [dagster.add() for _ in range(3)]
    for _ in range(4):
        dagster.add("somebody_elses", tags={})
    dagster.add()
    page = (await admin.get("/api/v1/jobs?per_page=3")).json()
    assert page["total"] == 4
    assert [job["id"] for job in page["jobs"]][1:] == [ours[2].id, ours[1].id]
    rest = (await admin.get(f"/api/v1/jobs?per_page=3&cursor={page['next_cursor']}")).json()
    assert [job["id"] for job in rest["jobs"]] == [ours[0].id]


async def test_jobs_are_found_by_status_and_by_any_of_their_pipelines(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    both = dagster.add("annotate", tags=_tags(FACES, SCENES))
    scenes = dagster.add(SCENES, tags=_tags(SCENES))
    scenes.end("SUCCESS")

    async def find(**parameters: str) -> set[str]:
        jobs = (await admin.get("/api/v1/jobs", params=parameters)).json()["jobs"]
        return {job["id"] for job in jobs}

    assert await find(pipeline=SCENES) == {both.id, scenes.id}
    assert await find(pipeline=FACES) == {both.id}
    assert await find(status="completed") == {scenes.id}
    assert await find(status="pending", pipeline=SCENES) == {both.id}
    assert await find(status="failed") == set()


async def test_pages_far_out_ask_for_the_cursor_instead(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/api/v1/jobs", params={"page": 10**6, "per_page": 100})
    assert response.status_code == 400
    assert "cursor" in response.json()["error"]["hint"]


async def test_everybody_with_a_key_sees_all_jobs(
    client_of: Callable[..., httpx.AsyncClient], dagster: Any
) -> None:
    run = dagster.add(tags=_tags(FACES) | {"framegate/owner": "somebody"})
    for role in ("reader", "annotator", "admin"):
        client = client_of(role)
        assert (await client.get(f"/api/v1/jobs/{run.id}")).json()["owner"] == "somebody"
        assert (await client.get("/api/v1/jobs")).json()["total"] == 1
