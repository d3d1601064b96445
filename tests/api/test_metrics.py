"""What `/metrics` says of a Dagster in memory: after each happening, of hostile requests, and when
Dagster is away.
"""

import asyncio
import os
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from api.app import create_app, create_services
from api.dagster.transport import GraphqlTransport
from api.dependencies import Services
from api.metrics.labels import LabelValues
from api.settings import Settings
from contracts.held_file import hold
from contracts.run import CANCELLATION_FAILED_TAG, DEVICE_TAG, FAILURE_TAG, KIND, KIND_TAG, Failure
from pipelines.registry.devices import Device, Inventory, InventoryError

pytestmark = pytest.mark.anyio

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
GPU = Device("GPU-1", "NVIDIA H100", memory_total=80, memory_free=60, utilization=50)


class Gpu(Inventory):
    """One GPU, whose driver can be made to fail."""

    is_broken = False

    def devices(self) -> tuple[Device, ...]:
        if self.is_broken:
            raise InventoryError("the driver is gone")
        return (GPU,)

    def held(self, _uuid: str) -> dict[int, int]:
        return {}


@pytest.fixture
def gpu() -> Gpu:
    return Gpu()


@pytest.fixture
def services(settings: Settings, dagster: Any, gpu: Gpu) -> Services:
    """On a machine with a GPU."""
    transport = GraphqlTransport(
        "http://dagster", timeout=2.0, transport=httpx.MockTransport(dagster.handle)
    )
    return create_services(settings, transport=transport, inventory=gpu)


@pytest.fixture
def read(services: Services, admin: httpx.AsyncClient) -> Callable[[], Any]:
    """Scrapes, as if the last scrape had been long ago, and once more when all that has ended is
    counted, however busy the machine is; gives every sample.
    """

    async def scrape() -> Samples:
        services.metrics._looked_at = float("-inf")
        await admin.get("/metrics")
        await services.metrics._counting
        answer = await admin.get("/metrics")
        assert answer.status_code == 200
        return samples(answer.text)

    return scrape


def samples(text: str) -> Samples:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: Samples, name: str, /, **labels: str) -> float | None:
    return found.get((name, frozenset(labels.items())))


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


async def test_a_gpu_is_told_with_its_memory_and_leases(
    dagster: Any, services: Services, read: Any
) -> None:
    tags = {KIND_TAG: KIND, DEVICE_TAG: "NVIDIA H100 GPU-1"}
    dagster.add("face_detection", status="STARTED", tags=tags)
    device = {"uuid": "GPU-1", "name": "NVIDIA H100"}

    found = await read()
    mark = hold(services.home.out_of_service("GPU-1") / "run.json")
    later = await read()
    os.close(mark)

    assert value(found, "framegate_device_memory_size_bytes", **device) == 80
    assert value(found, "framegate_device_memory_free_bytes", **device) == 60
    assert value(found, "framegate_device_memory_used_bytes", **device) == 20
    assert value(found, "framegate_device_utilization_ratio", **device) == 0.5
    assert value(found, "framegate_device_leases", **device) == 1
    assert value(found, "framegate_device_in_service", **device) == 1
    assert value(later, "framegate_device_in_service", **device) == 0


async def test_a_driver_that_fails_is_told_and_nothing_else_suffers(gpu: Gpu, read: Any) -> None:
    gpu.is_broken = True

    found = await read()

    assert value(found, "framegate_device_driver_up") == 0
    assert not [name for name, _ in found if name.startswith("framegate_device_memory")]
    assert value(found, "framegate_orchestrator_up") == 1


async def test_the_scrape_answers_when_dagster_is_away(dagster: Any, read: Any) -> None:
    dagster.add("face_detection", status="STARTED")
    assert value(await read(), "framegate_orchestrator_up") == 1

    def nobody_is_there(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("gone", request=request)

    dagster.transport_reply = nobody_is_there
    found = await read()

    assert value(found, "framegate_orchestrator_up") == 0
    assert not [name for name, _ in found if name == "framegate_jobs"]
    assert value(found, "framegate_database_up") == 1
    free = value(found, "framegate_disk_free_bytes")
    size = value(found, "framegate_disk_size_bytes")
    assert free is not None
    assert size is not None
    assert 0 < free <= size


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


async def test_many_scrapes_at_once_are_one_look(dagster: Any, admin: httpx.AsyncClient) -> None:
    questions: list[httpx.Request] = []
    handle = dagster.handle

    def counting(request: httpx.Request) -> httpx.Response:
        questions.append(request)
        dagster.transport_reply = None
        try:
            return handle(request)
        finally:
            dagster.transport_reply = counting

    dagster.transport_reply = counting
    answers = await asyncio.gather(*(admin.get("/metrics") for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len(questions) == 2


async def test_requests_are_counted_by_template_and_class_of_status(
    admin: httpx.AsyncClient, read: Any
) -> None:
    for number in range(3):
        await admin.get(f"/api/v1/jobs/00000000-0000-0000-0000-00000000000{number}")

    found = await read()

    labels = {"method": "GET", "route": "/api/v1/jobs/{job_id}"}
    assert value(found, "framegate_http_requests_total", status="4xx", **labels) == 3
    assert value(found, "framegate_http_request_duration_seconds_count", **labels) == 3


async def test_hostile_requests_make_no_time_series_of_their_own(
    stranger: httpx.AsyncClient, read: Any
) -> None:
    await stranger.get("/seen/before")
    await stranger.request("BREW", "/seen/before")
    before = await read()
    for number in range(300):
        await stranger.request(f"BREW{number}", f"/nowhere/{number}")
        await stranger.get(f"/nowhere/{number}?x={number}", headers={"X-Request-ID": str(number)})

    after = await read()

    requests = {labels for name, labels in after if name == "framegate_http_requests_total"}
    known = {labels for name, labels in before if name == "framegate_http_requests_total"}
    assert len(requests - known) <= 1  # that of the first scrape itself
    labels = {"method": "GET", "route": "unmatched", "status": "4xx"}
    assert value(after, "framegate_http_requests_total", **labels) == 301


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


async def test_openmetrics_is_given_to_whom_asks_for_it(admin: httpx.AsyncClient) -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
    answer = await admin.get("/metrics", headers={"Accept": accept})

    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {
        family.name: family for family in openmetrics.text_string_to_metric_families(answer.text)
    }
    assert families["framegate_queue_oldest_wait_seconds"].unit == "seconds"
    assert all(family.documentation for family in families.values())


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "application/openmetrics;;=,", "é"])
async def test_everybody_else_gets_text(admin: httpx.AsyncClient, accept: str) -> None:
    answer = await admin.get("/metrics", headers={"Accept": accept.encode()})

    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert samples(answer.text)


async def test_a_reader_may_scrape_with_a_bearer_token_and_nobody_without(
    stranger: httpx.AsyncClient, secret_of: Callable[..., str]
) -> None:
    bearer = {"Authorization": f"Bearer {secret_of('reader')}"}

    assert (await stranger.get("/metrics")).status_code == 401
    assert (await stranger.get("/metrics", headers=bearer)).status_code == 200


async def test_two_apps_in_one_process_have_metrics_of_their_own(
    services: Services, settings: Settings, admin: httpx.AsyncClient, read: Any
) -> None:
    other = create_services(settings)
    create_app(services=other)
    await admin.get("/nowhere")

    text, _ = await other.metrics.scrape("")
    other.database.close()

    assert not [name for name, _ in samples(text.decode()) if "requests" in name]
    assert services.metrics.registry is not other.metrics.registry
    assert [name for name, _ in await read() if "requests" in name]


def test_label_values_are_let_through_until_there_are_too_many() -> None:
    values = LabelValues(most=2)

    assert [values.bounded(name) for name in ("a", "b", "c", "a")] == ["a", "b", "other", "a"]
