"""A job of several pipelines of which one fails, run again on the real stack: over REST, and as
the Dagster UI does it.
"""

import io
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from dagster import DagsterEventType, DagsterInstance

from api.stack.events import StackReady
from contracts.retry import RETRIED_BY_TAG
from contracts.run import IDEMPOTENCY_KEY_TAG, REQUEST_ID_TAG, SUBMITTED_AT_TAG, failure_tag
from orchestration.annotation.asset_keys import asset_key
from orchestration.launcher.instances import open_instance
from tests.webserver import ask_dagster

FAILING, SOUND = "misbehaving", "speech_activity"
VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".webm")
REEXECUTE = """
mutation Reexecute($parameters: ReexecutionParams, $execution: ExecutionParams) {
  launchPipelineReexecution(reexecutionParams: $parameters, executionParams: $execution) {
    ... on LaunchRunSuccess { run { runId } }
    ... on Error { message }
  }
}
"""


@pytest.fixture
def mended(tmp_path: Path) -> Path:
    """Once this file exists, the failing pipeline does not fail any more."""
    return tmp_path / "mended"


@pytest.fixture
def failed(jobs: Any, rest: httpx.Client, mended: Path) -> dict[str, Any]:
    """A job whose one pipeline failed, and whose other one has results."""
    body = {
        "media": jobs.media,
        "pipelines": [FAILING, SOUND],
        "config": {FAILING: {"behaviour": "raise", "until": str(mended)}},
        "tags": {"batch": "7"},
    }
    submitted = rest.post(
        "/api/v1/jobs", json=body, headers={"Idempotency-Key": str(mended)[-200:]}
    )
    job: dict[str, Any] = jobs.wait(submitted.json()["id"], {"failed"})
    assert job["pipeline_results"][SOUND]["status"] == "completed"
    return job


@pytest.fixture
def retry(jobs: Any, rest: httpx.Client) -> Callable[[str], dict[str, Any]]:
    """Over REST; the new job once it has ended."""

    def retry(job: str) -> dict[str, Any]:
        answer = rest.post(f"/api/v1/jobs/{job}/retry")
        assert answer.status_code == 201, answer.text
        jobs.accepted.append(answer.json()["id"])
        ended: dict[str, Any] = jobs.wait(answer.json()["id"])
        return ended

    return retry


@pytest.fixture
def reexecute(jobs: Any, stack: StackReady) -> Callable[..., dict[str, Any]]:
    """As the UI does; the new job once it has ended."""

    def reexecute(**variables: Any) -> dict[str, Any]:
        answer = ask_dagster(stack.home, REEXECUTE, **variables)
        jobs.accepted.append(answer["launchPipelineReexecution"]["run"]["runId"])
        ended: dict[str, Any] = jobs.wait(jobs.accepted[-1])
        return ended

    return reexecute


@pytest.fixture
def instance(
    jobs: Any,
    database_of: Callable[[Path], Mapping[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[DagsterInstance]:
    settings = {"FRAMEGATE_HOME": str(jobs.home.root), **database_of(jobs.home.root)}
    for name, value in settings.items():  # dagster.yaml's classes read them
        monkeypatch.setenv(name, value)
    with open_instance(jobs.home.dagster) as instance:
        yield instance


def _steps(instance: DagsterInstance, job: str) -> list[str]:
    """The steps that a run executed, in order."""
    starts = instance.all_logs(job, of_type=DagsterEventType.STEP_START)
    return [str(entry.step_key) for entry in starts]


def _is_whole(job: dict[str, Any], rest: httpx.Client) -> None:
    assert job["status"] == "completed", job
    assert {result["status"] for result in job["pipeline_results"].values()} == {"completed"}
    results = rest.get(f"/api/v1/jobs/{job['id']}/results").json()
    assert sorted(results["pipelines"]) == [FAILING, SOUND]
    archive = zipfile.ZipFile(io.BytesIO(rest.get(f"/api/v1/jobs/{job['id']}/artifacts").content))
    names = archive.namelist()
    assert archive.testzip() is None
    listed = {file["name"] for file in results["files"] if file["role"] != "tiers"}
    assert listed <= set(names)
    # The clip is sound alone: it is named as the media that it is.
    assert len([name for name in names if name.endswith((*VIDEOS, ".wav"))]) == 1


def test_a_retry_runs_what_failed_and_its_results_are_whole(
    rest: httpx.Client,
    failed: dict[str, Any],
    retry: Any,
    mended: Path,
    instance: DagsterInstance,
) -> None:
    mended.touch()
    job = retry(failed["id"])
    _is_whole(job, rest)
    assert job["retry_of"] == failed["id"]
    assert job["tags"] == {"batch": "7"}
    assert job["pipeline_results"][SOUND]["carried_over_from"] == failed["id"]
    assert job["pipeline_results"][FAILING]["carried_over_from"] is None
    assert _steps(instance, job["id"]) == [FAILING]
    made = instance.all_logs(job["id"], of_type=DagsterEventType.ASSET_MATERIALIZATION)
    assert [entry.get_dagster_event().asset_key for entry in made] == [asset_key(FAILING)]


def test_retries_of_retries_stay_whole_when_the_first_job_is_deleted(
    rest: httpx.Client, failed: dict[str, Any], retry: Any, mended: Path
) -> None:
    second = retry(failed["id"])
    assert second["status"] == "failed"
    assert second["pipeline_results"][SOUND]["status"] == "completed"
    assert rest.delete(f"/api/v1/jobs/{failed['id']}").status_code == 204

    mended.touch()
    third = retry(second["id"])

    _is_whole(third, rest)
    assert third["retry_of"] == second["id"]
    assert third["pipeline_results"][SOUND]["carried_over_from"] == failed["id"]


def test_from_failure_in_the_ui_does_the_same(
    rest: httpx.Client,
    failed: dict[str, Any],
    reexecute: Any,
    mended: Path,
    instance: DagsterInstance,
) -> None:
    mended.touch()
    job = reexecute(
        parameters={"parentRunId": failed["id"], "strategy": "FROM_FAILURE", "extraTags": []}
    )
    _is_whole(job, rest)
    assert job["owner"] == failed["owner"]
    assert _steps(instance, job["id"]) == [FAILING]
    run = instance.get_run_by_id(job["id"])
    assert run
    of_one_run = {SUBMITTED_AT_TAG, REQUEST_ID_TAG, IDEMPOTENCY_KEY_TAG, RETRIED_BY_TAG}
    assert not run.tags.keys() & {*of_one_run, failure_tag(FAILING)}


def test_all_steps_in_the_ui_are_the_pipelines_of_the_job(
    rest: httpx.Client,
    failed: dict[str, Any],
    reexecute: Any,
    mended: Path,
    instance: DagsterInstance,
) -> None:
    mended.touch()
    job = reexecute(
        parameters={"parentRunId": failed["id"], "strategy": "ALL_STEPS", "extraTags": []}
    )
    _is_whole(job, rest)
    assert sorted(_steps(instance, job["id"])) == [FAILING, "probe", SOUND]
    assert job["pipeline_results"][SOUND]["carried_over_from"] is None


def test_chosen_steps_in_the_ui_leave_the_others_results_standing(
    rest: httpx.Client,
    failed: dict[str, Any],
    reexecute: Any,
    mended: Path,
    instance: DagsterInstance,
) -> None:
    """The UI then sends all tags of the run before along by itself."""
    mended.touch()
    run = instance.get_run_by_id(failed["id"])
    assert run
    tags = {**run.tags, "dagster/parent_run_id": run.run_id, "dagster/root_run_id": run.run_id}
    job = reexecute(
        execution={
            "runConfigData": dict(run.run_config),
            "selector": {
                "repositoryLocationName": "framegate",
                "repositoryName": "__repository__",
                "pipelineName": "annotate",
                "solidSelection": list(run.op_selection or ()),
                "assetSelection": [],
                "assetCheckSelection": [],
            },
            "executionMetadata": {
                "parentRunId": run.run_id,
                "rootRunId": run.run_id,
                "tags": [{"key": key, "value": value} for key, value in tags.items()],
            },
            "stepKeys": [FAILING],
        }
    )
    _is_whole(job, rest)
    assert _steps(instance, job["id"]) == [FAILING]


def test_of_a_cancelled_job_what_was_not_finished_is_run(
    jobs: Any, rest: httpx.Client, retry: Any, mended: Path, instance: DagsterInstance
) -> None:
    job, _worker = jobs.at_work("sleep", until=str(mended))
    jobs.cancel(job)
    mended.touch()
    again = retry(job)
    assert again["status"] == "completed"
    assert _steps(instance, again["id"]) == [FAILING]
    assert rest.post(f"/api/v1/jobs/{again['id']}/retry").status_code == 409
