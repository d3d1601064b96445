"""Event streams over real HTTP: what changes in Dagster arrives, once, and can be resumed."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from api.dependencies import Services
from api.settings import Settings
from tests.api.live.events.stream import Stream, listening, moment

pytestmark = pytest.mark.anyio


async def test_a_change_in_dagster_arrives_with_an_id_a_name_and_the_whole_state(
    client: httpx.AsyncClient, instance: DagsterInstance, add_run: Callable[..., DagsterRun]
) -> None:
    run = add_run()
    async with listening(client) as stream:
        assert stream.answer.headers["content-type"].startswith("text/event-stream")
        instance.report_run_canceled(run)
        event = await stream.next()
    assert event.name == "job.cancelled"
    assert event.data["job_id"] == run.run_id
    assert event.data["status"] == "cancelled"
    assert event.data["cancelled_at"]
    assert event.id.endswith(run.run_id)


async def test_a_new_job_and_its_failure_are_told_in_order(
    client: httpx.AsyncClient, instance: DagsterInstance, add_run: Callable[..., DagsterRun]
) -> None:
    async with listening(client) as stream:
        run = add_run(status=DagsterRunStatus.NOT_STARTED)
        queued = await stream.next()
        instance.report_run_failed(run)
        failed = await stream.next()
    assert (queued.name, queued.data["status"]) == ("job.update", "pending")
    assert (failed.name, failed.data["status"]) == ("job.error", "failed")
    assert failed.data["error_message"]
    assert moment(queued) < moment(failed)


async def test_a_jobs_stream_begins_with_its_state_ends_with_its_end_and_stays_ended(
    client: httpx.AsyncClient, instance: DagsterInstance, add_run: Callable[..., DagsterRun]
) -> None:
    run, other = add_run(), add_run()
    address = f"/api/v1/jobs/{run.run_id}/events"
    async with listening(client, address) as stream:
        state = await stream.next()
        instance.report_run_canceled(other)
        instance.report_run_canceled(run)
        (end,) = await stream.rest()
    assert (state.name, end.name) == ("job.update", "job.cancelled")
    assert {state.data["job_id"], end.data["job_id"]} == {run.run_id}
    again = await client.get(address, headers={"Last-Event-ID": end.id})
    assert again.status_code == 204
    late = await client.get(address)
    assert late.text.count("event: job.cancelled") == 1


async def test_progress_is_told_as_it_moves(
    client: httpx.AsyncClient, settings: Settings, add_run: Callable[..., DagsterRun]
) -> None:
    run = add_run()
    progress = settings.paths.progress(run.run_id)
    progress.parent.mkdir(parents=True)
    async with listening(client, f"/api/v1/jobs/{run.run_id}/events") as stream:
        await stream.next()
        for fraction in (0.25, 0.5):
            progress.write_text(json.dumps({"scene_detection": fraction}))
            event = await stream.next()
            assert event.data["progress"] == {"scene_detection": fraction}


async def test_resuming_tells_what_was_missed_and_nothing_twice(
    client: httpx.AsyncClient, instance: DagsterInstance, add_run: Callable[..., DagsterRun]
) -> None:
    runs = [add_run() for _ in range(4)]
    async with listening(client) as keeper:
        async with listening(client) as stream:
            instance.report_run_canceled(runs[0])
            seen = await stream.next()
        for run in runs[1:]:
            instance.report_run_canceled(run)
        for _ in runs:
            await keeper.next()
        async with listening(client, last=seen.id) as stream:
            missed = [await stream.next() for _ in runs[1:]]
            late = add_run()
            new = await stream.next()
    assert [event.data["job_id"] for event in missed] == [run.run_id for run in runs[1:]]
    assert new.data["job_id"] == late.run_id
    moments = [moment(event) for event in [seen, *missed, new]]
    assert moments == sorted(set(moments))


async def test_ids_mean_the_same_after_a_restart(
    quick: Callable[..., Services],
    serve: Callable[..., Any],
    instance: DagsterInstance,
    add_run: Callable[..., DagsterRun],
) -> None:
    before, during = add_run(), add_run()
    async with serve(quick()) as client, listening(client) as stream:
        instance.report_run_canceled(before)
        seen = await stream.next()
    instance.report_run_failed(during)
    async with serve(quick()) as client, listening(client, last=seen.id) as stream:
        event = await stream.next()
        while event.data["job_id"] != during.run_id:
            event = await stream.next()
    assert event.name == "job.error"


@pytest.mark.parametrize("last", ["", "x", "1" * 400, "-1", "12-not-a-run", "٣-x"])
async def test_an_id_that_is_not_ours_is_no_id(
    client: httpx.AsyncClient, add_run: Callable[..., DagsterRun], last: str
) -> None:
    run = add_run()
    address = f"/api/v1/jobs/{run.run_id}/events"
    headers = {b"Last-Event-ID": last.encode()}
    async with client.stream("GET", address, headers=headers) as answer:
        event = await Stream(answer).next()
    assert event.data["job_id"] == run.run_id
