"""Retrying a job over REST: what may be retried, by whom, and how often it becomes a run."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from api.auth.roles import Principal, Role
from api.dependencies import Services
from api.jobs.retry import retry_job
from api.submissions.idempotency import IdempotencyRecords
from contracts.retry import RETRIED_BY_TAG, RETRY_KEY_TAG, carried_over_tag
from contracts.run import (
    DEVICE_TAG,
    FAILURE_TAG,
    IDEMPOTENCY_KEY_TAG,
    KIND,
    KIND_TAG,
    OWNER_TAG,
    PRIORITY_TAG,
    PROBE_OP,
    REQUEST_ID_TAG,
    SUBMITTED_AT_TAG,
    Failure,
    failure_tag,
    pipeline_tags,
)

pytestmark = pytest.mark.anyio

FACES, SCENES = "face_detection", "scene_detection"
MEDIA = "a" * 64
ALICE = Principal("alice", Role.ANNOTATOR)

Retry = Callable[..., Awaitable[httpx.Response]]


@pytest.fixture
def ended(dagster: Any, services: Services) -> Callable[..., Any]:
    """A job of Alice's that has ended; its media is there."""
    services.home.media(MEDIA).parent.mkdir(parents=True)
    services.home.media(MEDIA).write_bytes(b"a video")

    def end(status: str = "FAILURE", **tags: str) -> Any:
        run = dagster.add(
            "annotate",
            tags={KIND_TAG: KIND, OWNER_TAG: "alice", **pipeline_tags([FACES, SCENES]), **tags},
            config={"ops": {PROBE_OP: {"config": {"media": MEDIA}}}},
        )
        run.end(status)
        return run

    return end


@pytest.fixture
def retry(admin: httpx.AsyncClient) -> Retry:
    async def retry(run: Any, **request: Any) -> httpx.Response:
        return await admin.post(f"/api/v1/jobs/{run.id}/retry", **request)

    return retry


@pytest.mark.parametrize("status", ["FAILURE", "CANCELED"])
async def test_a_retry_is_a_job_of_its_own_that_names_the_one_before(
    ended: Any, retry: Retry, dagster: Any, status: str
) -> None:
    run = ended(status)
    answer = await retry(run)
    assert answer.status_code == 201, answer.text
    job = answer.json()
    assert job["id"] != run.id
    assert answer.headers["Location"] == f"/api/v1/jobs/{job['id']}"
    assert (job["retry_of"], job["owner"], job["status"]) == (run.id, "alice", "pending")
    assert job["selected_pipelines"] == [FACES, SCENES]
    assert dagster.asked == ["reexecute FROM_FAILURE"]


async def test_a_retry_begins_without_what_the_job_before_met_with(
    ended: Any, retry: Retry, dagster: Any
) -> None:
    failure = Failure("GPU_OUT_OF_MEMORY", "Too big.").to_tag()
    earlier = {FAILURE_TAG: failure, failure_tag(FACES): failure, DEVICE_TAG: "a GPU"}
    earlier |= {IDEMPOTENCY_KEY_TAG: "k", REQUEST_ID_TAG: "old", SUBMITTED_AT_TAG: "old"}
    run = ended("FAILURE", **earlier, **{carried_over_tag(SCENES): "x", PRIORITY_TAG: "3"})
    job = (await retry(run, headers={"X-Request-ID": "new"})).json()
    tags = dagster.runs[job["id"]].tags
    assert not tags.keys() & (earlier.keys() - {REQUEST_ID_TAG, SUBMITTED_AT_TAG})
    assert carried_over_tag(SCENES) not in tags
    assert tags[REQUEST_ID_TAG] == "new"
    assert tags[RETRIED_BY_TAG] == "admin"
    assert job["created_at"] != "old"
    assert job["priority"] == 3
    assert job["pipeline_results"][FACES]["error"] is None


async def test_a_retry_may_have_another_priority(ended: Any, retry: Retry) -> None:
    run = ended("FAILURE", **{PRIORITY_TAG: "3"})
    assert (await retry(run, json={"priority": -5})).json()["priority"] == -5
    assert (await retry(run, json={"priority": 7.0})).json()["priority"] == 7
    refused = await retry(run, json={"priority": "high"})
    assert refused.json()["error"]["field"] == "priority"


async def test_a_job_that_goes_on_is_not_retried(retry: Retry, dagster: Any) -> None:
    answer = await retry(dagster.add(status="STARTED"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "JOB_NOT_FINISHED")


async def test_a_job_that_completed_is_not_retried(ended: Any, retry: Retry) -> None:
    answer = await retry(ended("SUCCESS"))
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "JOB_ALREADY_COMPLETED")


async def test_a_job_whose_media_is_gone_is_not_retried(
    ended: Any, retry: Retry, services: Services, dagster: Any
) -> None:
    run = ended()
    services.home.media(MEDIA).unlink()
    answer = await retry(run)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert dagster.asked == []


async def test_a_job_of_a_pipeline_that_is_gone_is_not_retried(
    ended: Any, retry: Retry, dagster: Any
) -> None:
    answer = await retry(ended(**pipeline_tags([FACES, "uninstalled"])))
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "PIPELINE_NOT_FOUND")
    assert "uninstalled" in answer.json()["detail"]
    assert dagster.asked == []


async def test_a_job_is_retried_by_its_owner_or_an_administrator(
    ended: Any, client_of: Callable[..., httpx.AsyncClient]
) -> None:
    path = f"/api/v1/jobs/{ended().id}/retry"
    assert (await client_of("annotator", "bob").post(path)).status_code == 403
    assert (await client_of("annotator", "alice").post(path)).status_code == 201


async def test_a_job_whose_steps_had_all_succeeded_is_run_whole(
    ended: Any, retry: Retry, dagster: Any
) -> None:
    """Its worker was killed after the last step and before the end."""
    nothing_left = {"__typename": "PythonError", "className": "DagsterInvalidSubsetError"}
    reexecute = dagster._reexecute

    def answer(info: Any, **arguments: Any) -> Any:
        if arguments["reexecutionParams"]["strategy"] == "FROM_FAILURE":
            return nothing_left | {"message": "No steps needed to be retried in the failed run."}
        return reexecute(info, **arguments)

    dagster.replies["launchRunReexecution"] = answer
    assert (await retry(ended())).status_code == 201
    assert dagster.asked == ["reexecute ALL_STEPS"]


async def test_without_a_key_each_retry_is_a_job(ended: Any, retry: Retry) -> None:
    run = ended()
    assert (await retry(run)).json()["id"] != (await retry(run)).json()["id"]


async def test_equal_keys_make_one_retry(ended: Any, retry: Retry, dagster: Any) -> None:
    run = ended()
    first, second = [await retry(run, headers={"Idempotency-Key": "k"}) for _ in range(2)]
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["Idempotency-Replayed"] == "true"
    assert dagster.asked == ["reexecute FROM_FAILURE"]


async def test_a_key_of_one_retry_is_refused_for_another(ended: Any, retry: Retry) -> None:
    await retry(ended(), headers={"Idempotency-Key": "k"})
    answer = await retry(ended(), headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "IDEMPOTENCY_CONFLICT")


async def test_a_retry_that_was_cut_off_is_found_by_its_tags(
    ended: Any, services: Services, dagster: Any
) -> None:
    """Killed between the launch and the record of it; the earlier job had a key, too."""
    run = ended("FAILURE", **{IDEMPOTENCY_KEY_TAG: "k", RETRY_KEY_TAG: "k", RETRIED_BY_TAG: "bob"})
    services.database.migrate()
    impatient = replace(
        services, idempotency=IdempotencyRecords(services.database, stale_after=0.0)
    )

    class KilledError(BaseException):
        pass

    def die(_run: Any) -> None:
        raise KilledError

    async def attempt() -> Any:
        return await retry_job(
            impatient, run.id, ALICE, priority=None, request_id="r", idempotency_key="k"
        )

    dagster.on_launch = die
    with pytest.raises(KilledError):
        await attempt()
    dagster.on_launch = lambda _run: None
    found = await attempt()
    assert found.is_replay
    assert [*dagster.runs] == [run.id, found.run.run_id]


async def test_carried_over_results_are_shown_as_completed(
    ended: Any, admin: httpx.AsyncClient, services: Services
) -> None:
    run = ended("FAILURE", **{carried_over_tag(FACES): "the-first-run"})
    run.steps = [{"stepKey": SCENES, "status": "FAILURE"}]
    folder = services.home.results(run.id) / FACES
    folder.mkdir(parents=True)
    manifest = {"annotation_count": 2, "files": [{"name": "a.json"}]}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    results = (await admin.get(f"/api/v1/jobs/{run.id}")).json()["pipeline_results"]
    assert results[FACES]["status"] == "completed"
    assert results[FACES]["carried_over_from"] == "the-first-run"
    assert results[FACES]["annotation_count"] == 2
    assert results[SCENES]["status"] == "failed"
    assert results[SCENES]["carried_over_from"] is None


async def test_a_retry_takes_no_other_body(ended: Any, retry: Retry) -> None:
    answer = await retry(ended(), json={"pipelines": []})
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "pipelines")
