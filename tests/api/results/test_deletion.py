"""A job is deleted with its results, once it has finished, by its owner or an administrator."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.settings import Settings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("status", ["QUEUED", "STARTED", "CANCELING"])
async def test_a_job_that_is_not_finished_has_no_results_and_cannot_be_deleted(
    admin: httpx.AsyncClient, dagster: Any, status: str
) -> None:
    url = f"/api/v1/jobs/{dagster.add(status=status).id}"
    answers = [
        await admin.get(f"{url}/results"),
        await admin.get(f"{url}/results/a/b"),
        await admin.get(f"{url}/artifacts"),
        await admin.delete(url),
    ]
    for answer in answers:
        assert answer.status_code == 409
        assert answer.json()["error"]["code"] == "JOB_NOT_FINISHED"


async def test_a_deleted_job_is_gone_with_its_results_and_its_run(
    admin: httpx.AsyncClient, dagster: Any, finished: Any, url: str, settings: Settings
) -> None:
    response = await admin.delete(url)
    assert (response.status_code, response.content) == (204, b"")
    assert not settings.paths.job(finished.id).exists()
    assert finished.id not in dagster.runs
    assert (await admin.get(url)).status_code == 404
    assert (await admin.delete(url)).status_code == 404


async def test_only_its_owner_or_an_administrator_deletes_a_job(
    client_of: Callable[..., httpx.AsyncClient], dagster: Any, finished: Any, url: str
) -> None:
    assert (await client_of("annotator", "bob").delete(url)).status_code == 403
    assert finished.id in dagster.runs
    assert (await client_of("annotator", "alice").delete(url)).status_code == 204
