"""Client commands against the real stack."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from contracts.project import PROJECT
from tests.conftest import Framegate

Environment = Mapping[str, str]


def test_a_job_waited_for_ends_with_0_and_tells_what_was_found(
    framegate: Framegate, client_environment: Environment, job_id: str
) -> None:
    shown = framegate("job", job_id, "--wait", **client_environment)

    assert shown.returncode == 0
    assert "completed" in shown.stdout
    assert "speech_activity" in shown.stdout


def test_a_job_that_fails_ends_waiting_with_1_and_says_which_pipeline_and_why(
    framegate: Framegate, client_environment: Environment, sample: Path
) -> None:
    config = '{"misbehaving": {"behaviour": "raise"}}'
    options = ["--pipelines", "misbehaving,brightness", "--config", config]
    shown = framegate("submit", sample, *options, "--wait", **client_environment)

    assert shown.returncode == 1
    bars = {line.split()[0]: line for line in shown.stderr.splitlines() if " % " in line}
    assert "failed" in bars["misbehaving"]
    assert "found" in bars["brightness"]
    assert "ValueError: as asked" in shown.stdout
    assert "The job failed." in shown.stderr


def test_json_is_the_apis_own_answer(
    framegate: Framegate, client_environment: Environment, job_id: str, rest: httpx.Client
) -> None:
    shown = framegate("job", job_id, "--json", **client_environment)

    assert json.loads(shown.stdout) == rest.get(f"/api/v1/jobs/{job_id}").json()


def test_jobs_are_listed(
    framegate: Framegate, client_environment: Environment, job_id: str
) -> None:
    completed = framegate("jobs", "--status", "completed", **client_environment)
    failed = framegate("jobs", "--status", "failed", **client_environment)

    assert job_id in completed.stdout
    assert job_id not in failed.stdout


def test_the_files_of_a_job_are_saved_whole(
    framegate: Framegate,
    client_environment: Environment,
    job_id: str,
    rest: httpx.Client,
    tmp_path: Path,
) -> None:
    saved = framegate("results", job_id, "--out", tmp_path, **client_environment)
    files = rest.get(f"/api/v1/jobs/{job_id}/results").json()["files"]

    assert saved.returncode == 0
    assert files
    assert {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")} == {
        file["path"] for file in files
    }
    for file in files:
        assert (tmp_path / file["path"]).stat().st_size == file["size_bytes"]


def test_a_finished_job_cannot_be_cancelled_any_more(
    framegate: Framegate, client_environment: Environment, job_id: str
) -> None:
    outcome = framegate("cancel", job_id, "--json", **client_environment)

    assert json.loads(outcome.stdout)["status"] == "COMPLETED"


def test_pipelines_are_listed(framegate: Framegate, client_environment: Environment) -> None:
    listed = framegate("pipelines", **client_environment)

    assert all(
        name in listed.stdout for name in ("face_detection", "scene_detection", "speech_activity")
    )


@pytest.mark.parametrize(("config", "code"), [('{"threshold": 0.5}', 0), ('{"threshold": 5}', 1)])
def test_the_exit_code_of_validate_is_the_verdict(
    framegate: Framegate, client_environment: Environment, config: str, code: int
) -> None:
    assert framegate("validate", "scene_detection", config, **client_environment).returncode == code


def test_a_config_may_lie_in_a_file(
    framegate: Framegate, client_environment: Environment, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text('{"threshold": 5}')
    verdict = framegate(
        "validate", "scene_detection", tmp_path / "config.json", "--json", **client_environment
    )

    assert json.loads(verdict.stdout)["errors"][0]["field"] == "config.threshold"


def test_ctrl_c_stops_waiting_and_says_how_to_stop_the_job(
    client_environment: Environment, sample: Path, rest: httpx.Client
) -> None:
    command = [sys.executable, "-m", "api.cli", "submit", str(sample), "--wait"]
    with subprocess.Popen(
        [*command, "--pipelines", "scene_detection"],
        cwd=PROJECT,
        env={**os.environ, **client_environment},
        stderr=subprocess.PIPE,
        text=True,
    ) as waiting:
        assert waiting.stderr
        job_id = next(line for line in waiting.stderr if line.startswith("Job ")).split()[1]
        waiting.send_signal(signal.SIGINT)
        said = waiting.stderr.read()

    assert waiting.returncode == 130
    assert f"framegate cancel {job_id}" in said
    assert rest.get(f"/api/v1/jobs/{job_id}").json()["status"] in ("pending", "running")
    rest.post(f"/api/v1/jobs/{job_id}/cancel").raise_for_status()


def test_a_job_that_completed_is_not_retried(
    framegate: Framegate, client_environment: Mapping[str, str], job_id: str
) -> None:
    refused = framegate("retry", job_id, "--wait", **client_environment)

    assert refused.returncode == 1
    assert "nothing of it is left to do" in refused.stderr
