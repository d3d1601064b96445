"""What `/metrics` says of jobs: by state, by how they ended, how fast, how cancelled."""

import time
from typing import Any

import httpx
import pytest

from api.dependencies import Services
from contracts.run import CANCELLATION_FAILED_TAG, FAILURE_TAG, KIND_TAG, Failure
from tests.api.metrics.samples import value

pytestmark = pytest.mark.anyio


def end(run: Any, status: str, *, steps: list[dict[str, Any]] | None = None) -> None:
    run.started_at = time.time() - 2
    run.steps = steps or []
    run.end(status)


async def test_jobs_are_counted_by_state_and_by_dagster_job(dagster: Any, read: Any) -> None:
    dagster.add("face_detection", status="QUEUED", created_at=time.time() - 100)
    dagster.add("face_detection", status="QUEUED")
    dagster.add("annotate", status="STARTED")
    dagster.add("scene_detection", status="CANCELING")
    dagster.add("somebody_elses", status="QUEUED")

    found = await read()

    def jobs(state: str, job: str) -> float | None:
        return value(found, "framegate_jobs", state=state, dagster_job=job)

    assert jobs("pending", "face_detection") == 2
    assert jobs("running", "annotate") == 1
    assert jobs("cancelling", "scene_detection") == 1
    assert jobs("pending", "other") == 1
    assert value(found, "framegate_queue_length") == 3
    oldest = value(found, "framegate_queue_oldest_wait_seconds")
    assert oldest is not None
    assert 100 <= oldest < 160


async def test_maintenance_is_in_the_queue_and_no_job(dagster: Any, read: Any) -> None:
    dagster.add("retention_sweep", tags={KIND_TAG: "maintenance"})
    dagster.add("library_batch", status="STARTED", tags={KIND_TAG: "maintenance"})

    found = await read()

    assert value(found, "framegate_queue_length") == 1
    jobs = {labels: count for (name, labels), count in found.items() if name == "framegate_jobs"}
    assert jobs
    assert set(jobs.values()) == {0}


async def test_a_finished_job_is_counted_once_by_how_it_ended(dagster: Any, read: Any) -> None:
    completed = dagster.add("face_detection")
    failed = dagster.add("face_detection")
    failure = Failure("GPU_OUT_OF_MEMORY", "too large")
    failed.tags = {**failed.tags, FAILURE_TAG: failure.to_tag()}
    cancelled = dagster.add("annotate")
    await read()
    end(completed, "SUCCESS")
    end(failed, "FAILURE")
    end(cancelled, "CANCELED")

    await read()
    completed.tags = {**completed.tags, "user/later": "seen"}
    found = await read()

    def finished(job: str, outcome: str, code: str = "") -> float | None:
        name = "framegate_jobs_finished_total"
        return value(found, name, dagster_job=job, outcome=outcome, error_code=code)

    assert finished("face_detection", "completed") == 1
    assert finished("face_detection", "failed", "GPU_OUT_OF_MEMORY") == 1
    assert finished("annotate", "cancelled") == 1
    seconds = value(found, "framegate_job_duration_seconds_sum", dagster_job="annotate")
    assert seconds is not None
    assert 2 <= seconds < 60


async def test_what_ended_before_the_api_started_is_not_counted(dagster: Any, read: Any) -> None:
    dagster.add("face_detection", status="SUCCESS", ended_at=time.time() - 5)

    found = await read()

    assert not [name for name, _ in found if name == "framegate_jobs_finished_total"]


async def test_more_have_ended_than_one_question_tells(dagster: Any, read: Any) -> None:
    for _ in range(230):
        end(dagster.add("face_detection"), "SUCCESS")

    found = await read()

    name = "framegate_jobs_finished_total"
    labels = {"dagster_job": "face_detection", "outcome": "completed", "error_code": ""}
    assert value(found, name, **labels) == 230


async def test_a_pipelines_speed_is_that_of_its_step(
    dagster: Any, services: Services, read: Any
) -> None:
    run = dagster.add("face_detection")
    folder = services.home.results(run.id) / "face_detection"
    folder.mkdir(parents=True)
    manifest = '{"media": {"duration_seconds": 30.0}, "device": "cuda:0 NVIDIA H100"}'
    (folder / "manifest.json").write_text(manifest)
    step = {"stepKey": "face_detection", "status": "SUCCESS", "startTime": 10.0, "endTime": 14.0}
    end(run, "SUCCESS", steps=[step])

    found = await read()

    labels = {"pipeline": "face_detection", "device": "cuda"}
    assert value(found, "framegate_pipeline_speed_ratio_sum", **labels) == 7.5
    assert value(found, "framegate_pipeline_speed_ratio_count", **labels) == 1
    ended = {"pipeline": "face_detection", "outcome": "completed", "error_code": ""}
    assert value(found, "framegate_pipelines_finished_total", **ended) == 1


async def test_a_cancellation_is_told_by_how_it_ended(
    dagster: Any, admin: httpx.AsyncClient, read: Any
) -> None:
    queued, finished, stuck = dagster.add(), dagster.add(status="SUCCESS"), dagster.add()
    await admin.post(f"/api/v1/jobs/{queued.id}/cancel")
    await admin.post(f"/api/v1/jobs/{finished.id}/cancel")
    dagster.on_terminate = lambda _run: None
    await admin.post(f"/api/v1/jobs/{stuck.id}/cancel")

    found = await read()

    counted = "framegate_cancellation_duration_seconds_count"
    for outcome in ("cancelled", "already_finished", "failed"):
        assert value(found, counted, outcome=outcome) == 1
    spent = value(found, "framegate_cancellation_duration_seconds_sum", outcome="failed")
    assert spent is not None
    assert spent >= 2.0


async def test_a_cancellation_that_fails_is_told_whoever_asked_for_it(
    dagster: Any, read: Any
) -> None:
    """As in the Dagster UI: the API is not asked, and sees the run alone."""
    assert value(await read(), "framegate_cancellations_stuck") == 0
    stuck = dagster.add(status="CANCELING")
    stuck.tags = {**stuck.tags, CANCELLATION_FAILED_TAG: '{"pids": [7], "signal": "SIGKILL"}'}
    assert value(await read(), "framegate_cancellations_stuck") == 1

    stuck.end("CANCELED")

    assert value(await read(), "framegate_cancellations_stuck") == 0


async def test_what_ended_while_dagster_was_away_is_counted_when_it_is_back(
    dagster: Any, read: Any
) -> None:
    run = dagster.add("face_detection")
    dagster.transport_reply = lambda _request: httpx.Response(502)
    await read()
    end(run, "SUCCESS")
    dagster.transport_reply = None

    found = await read()

    labels = {"dagster_job": "face_detection", "outcome": "completed", "error_code": ""}
    assert value(found, "framegate_jobs_finished_total", **labels) == 1


async def test_failures_with_made_up_codes_make_a_bounded_number_of_time_series(
    dagster: Any, read: Any
) -> None:
    for number in range(150):
        run = dagster.add("face_detection")
        code = f"CODE_{number}" if number else "not\na code"
        run.tags = {**run.tags, FAILURE_TAG: Failure(code, "made up").to_tag()}
        end(run, "FAILURE")

    found = await read()

    codes = {
        dict(labels)["error_code"]
        for name, labels in found
        if name == "framegate_jobs_finished_total"
    }
    assert len(codes) == 101
    assert "other" in codes
