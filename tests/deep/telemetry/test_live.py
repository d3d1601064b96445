"""Metrics and logs of the real stack, after real happenings."""

import io
import json
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.stack.events import StackReady

PATIENCE = 120.0
ENDED = {"completed", "failed", "cancelled"}

Submit = Callable[..., str]
Counts = dict[tuple[str, str], float]


@pytest.fixture(scope="session")
def silence() -> bytes:
    """Two seconds of it."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(bytes(2 * 32000))
    return file.getvalue()


@pytest.fixture
def submit(rest: httpx.Client, silence: bytes) -> Submit:
    """Submits a job of the misbehaving pipeline; gives its id."""

    def post(request_id: str, **config: Any) -> str:
        answer = rest.post(
            "/api/v1/jobs",
            files={"video": ("silence.wav", silence)},
            data={
                "selected_pipelines": "misbehaving",
                "config": json.dumps({"misbehaving": config}),
            },
            headers={"X-Request-ID": request_id},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    return post


def until(happened: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < deadline, what
        time.sleep(0.2)


def status(rest: httpx.Client, job: str) -> str:
    return str(rest.get(f"/api/v1/jobs/{job}").json()["status"])


def finished(rest: httpx.Client) -> Counts:
    """Ended jobs of the misbehaving pipeline, by outcome and error code."""
    return {
        (sample.labels["outcome"], sample.labels["error_code"]): sample.value
        for family in text_string_to_metric_families(rest.get("/metrics").text)
        for sample in family.samples
        if sample.name == "framegate_jobs_finished_total"
        and sample.labels["dagster_job"] == "misbehaving"
    }


def value(rest: httpx.Client, name: str, /, **labels: str) -> float:
    """0 where there is no such sample."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(rest.get("/metrics").text)
        for sample in family.samples
        if sample.name == name and sample.labels == labels
    )


def test_metrics_tell_what_has_really_happened(rest: httpx.Client, submit: Submit) -> None:
    before = finished(rest)
    cancelled_before = value(
        rest, "framegate_cancellation_duration_seconds_count", outcome="cancelled"
    )
    completed, failed = submit("tell-1"), submit("tell-2", behaviour="raise")
    sleeping = submit("tell-3", behaviour="sleep", seconds=600)
    jobs = "framegate_jobs"
    until(
        lambda: value(rest, jobs, state="running", dagster_job="misbehaving") >= 1,
        "the running job is told",
    )
    assert rest.post(f"/api/v1/jobs/{sleeping}/cancel").json()["status"] == "CANCELLED"
    until(
        lambda: {status(rest, job) for job in (completed, failed)} <= ENDED, "both jobs have ended"
    )

    def more(outcome: str, code: str) -> float:
        return finished(rest).get((outcome, code), 0) - before.get((outcome, code), 0)

    until(lambda: more("completed", "") >= 1, "the completed job is counted")
    until(lambda: more("failed", "PIPELINE_FAILED") >= 1, "the failed job is counted")
    until(lambda: more("cancelled", "") >= 1, "the cancelled job is counted")
    assert value(rest, "framegate_cancellation_duration_seconds_count", outcome="cancelled") > (
        cancelled_before
    )
    for waited in ("queue_wait", "start_latency", "duration"):
        assert value(rest, f"framegate_job_{waited}_seconds_sum", dagster_job="misbehaving") > 0
    speed = "framegate_pipeline_speed_ratio_sum"
    assert value(rest, speed, pipeline="misbehaving", device="cpu") > 0
    assert value(rest, "framegate_orchestrator_up") == 1


def test_a_request_is_found_in_every_log_that_it_led_to(
    stack: StackReady, rest: httpx.Client, submit: Submit
) -> None:
    job = submit("chain-of-ids")
    until(lambda: status(rest, job) in ENDED, "the job has ended")
    logs = {
        **{path.stem: path for path in (Path(stack.home) / "logs").glob("*.log")},
        "worker": Path(stack.home) / "jobs" / job / "worker.log",
    }

    def said(log: str) -> list[str]:
        """What the log says of this request and its job."""
        lines = logs[log].read_text().splitlines()
        found = [json.loads(line) for line in lines if "chain-of-ids" in line]
        return [line["message"] for line in found if line.get("job_id") == job]

    until(lambda: bool(said("fork-server")), "the supervisor has spoken")
    until(lambda: bool(said("code-server")), "the sensor has seen the job end")
    assert said("api") == ["a job is queued"]
    assert said("code-server") == ["job ended"]
    assert said("daemon") == ["a run is launched"]
    assert said("worker") == ["a run worker begins"]
    assert said("fork-server") == ["a run worker has ended"]


def test_every_log_of_the_stack_is_lines_of_json(
    stack: StackReady, rest: httpx.Client, submit: Submit
) -> None:
    job = submit("json-lines")
    until(lambda: status(rest, job) in ENDED, "the job has ended")

    logs = sorted((Path(stack.home) / "logs").glob("*.log"))

    assert {path.stem for path in logs} >= {
        *("api", "code-server", "daemon", "fork-server", "webserver")
    }
    for path in logs:
        for line in path.read_text().splitlines():
            assert isinstance(json.loads(line), dict), f"{path.name}: {line}"
