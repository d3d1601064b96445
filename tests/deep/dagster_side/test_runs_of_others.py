"""Runs that people start and delete in Dagster's UI, by the GraphQL that the UI sends."""

import hashlib
import time
import wave
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.stack.events import StackReady
from contracts.home import Home
from tests.webserver import ask_dagster

_SECONDS = 120.0
_ASSET = {"path": ["annotations", "ways"]}
LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
BACKFILL = """
mutation Backfill($parameters: LaunchBackfillParams!) {
  launchPartitionBackfill(backfillParams: $parameters) {
    __typename
    ... on LaunchBackfillSuccess { backfillId }
    ... on PythonError { message }
  }
}
"""
DELETE = """
mutation Delete($id: String!) {
  deleteRun(runId: $id) {
    __typename
    ... on DeletePipelineRunSuccess { runId }
    ... on PythonError { message }
  }
}
"""
BACKFILL_RUNS = """
query Runs($filter: RunsFilter!) {
  runsOrError(filter: $filter) { ... on Runs { results { runId status } } }
}
"""

Ask = Callable[..., Any]


@pytest.fixture
def ask(stack: StackReady) -> Ask:
    return partial(ask_dagster, stack.home)


@pytest.fixture
def launch(ask: Ask) -> Callable[..., str]:
    def launch(
        job: str,
        config: dict[str, Any],
        tags: dict[str, str] | None = None,
        **selector: Any,
    ) -> str:
        parameters = {
            "selector": {
                "repositoryName": "__repository__",
                "repositoryLocationName": "framegate",
                "jobName": job,
                **selector,
            },
            "runConfigData": config,
            "executionMetadata": {
                "tags": [{"key": key, "value": value} for key, value in (tags or {}).items()]
            },
        }
        launched = ask(LAUNCH, parameters=parameters)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        run: str = launched["run"]["runId"]
        return run

    return launch


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Media of the test's own: its hash is nobody else's."""
    path = tmp_path / "film.wav"
    with wave.open(str(path), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(str(tmp_path).encode() * 100)
    return path


def _config(media: str, pipeline: str = "ways", **config: Any) -> dict[str, Any]:
    return {"ops": {"probe": {"config": {"media": media}}, pipeline: {"config": config}}}


def _ended(rest: httpx.Client, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + _SECONDS
    while True:
        answer = rest.get(f"/api/v1/jobs/{job}")
        seen: dict[str, Any] = answer.json()
        if seen.get("status") in {"completed", "failed", "cancelled"}:
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def annotated(rest: httpx.Client, launch: Callable[..., str], film: Path) -> Path:
    """The film, once a run that was given its path has annotated it."""
    first = _ended(rest, launch("ways", _config(str(film), way="names_nothing_more")))
    assert first["status"] == "completed", first["error"]
    return film


def test_materialize_finds_media_that_was_named_by_its_path(
    rest: httpx.Client, launch: Callable[..., str], annotated: Path
) -> None:
    run = launch(
        "__ASSET_JOB",
        {"ops": {"ways": {"config": {"way": "names_nothing_more"}}}},
        {"dagster/partition": _sha256(annotated)},
        assetSelection=[_ASSET],
    )

    ended = _ended(rest, run)

    assert ended["status"] == "completed", ended["error"]
    assert ended["video_filename"] == annotated.name


def test_media_that_has_changed_since_is_not_taken_for_what_the_catalog_lists(
    rest: httpx.Client, launch: Callable[..., str], annotated: Path
) -> None:
    partition = _sha256(annotated)
    annotated.write_bytes(annotated.read_bytes() + b"\0\0")

    run = launch(
        "__ASSET_JOB",
        {"ops": {"ways": {"config": {"way": "names_nothing_more"}}}},
        {"dagster/partition": partition},
        assetSelection=[_ASSET],
    )

    assert _ended(rest, run)["error"]["code"] == "MEDIA_CHANGED"


def test_one_backfill_makes_annotations_of_media_in_a_library_anew(
    rest: httpx.Client, ask: Ask, annotated: Path
) -> None:
    launched = ask(
        BACKFILL,
        parameters={
            "assetSelection": [_ASSET],
            "partitionNames": [_sha256(annotated)],
            "runConfigData": {"ops": {"ways": {"config": {"way": "names_nothing_more"}}}},
        },
    )["launchPartitionBackfill"]
    assert launched["__typename"] == "LaunchBackfillSuccess", launched
    tag = {"key": "dagster/backfill", "value": launched["backfillId"]}
    deadline = time.monotonic() + _SECONDS
    while not (runs := ask(BACKFILL_RUNS, filter={"tags": [tag]})["runsOrError"]["results"]):
        assert time.monotonic() < deadline
        time.sleep(0.5)

    ended = _ended(rest, runs[0]["runId"])

    assert ended["status"] == "completed", ended["error"]


def test_a_run_that_is_deleted_while_it_runs_is_stopped_and_leaves_no_folder(
    launch: Callable[..., str], ask: Ask, stack: StackReady, film: Path
) -> None:
    home = Home(Path(stack.home))
    config = _config(str(film), "misbehaving", behaviour="grandchild", seconds=600.0)
    run = launch("misbehaving", config)
    started = home.partial(run) / "misbehaving" / "started.txt"
    deadline = time.monotonic() + _SECONDS
    while not (started.exists() and started.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    worker = psutil.Process(int(started.read_text()))
    tree = [worker, *worker.children(recursive=True)]

    deleted = ask(DELETE, id=run)["deleteRun"]

    assert deleted["__typename"] == "DeletePipelineRunSuccess", deleted
    _gone, alive = psutil.wait_procs(tree, timeout=30)
    assert alive == []
    assert not home.job(run).exists()
    assert not (home.run / "leases" / f"{run}.json").exists()


def test_selected_ops_without_the_probe_say_which_media_they_miss(
    rest: httpx.Client, launch: Callable[..., str]
) -> None:
    config = {"ops": {"ways": {"config": {"way": "names_nothing_more"}}}}
    run = launch("ways", config, solidSelection=["ways"])

    error = _ended(rest, run)["error"]

    assert error["code"] == "INVALID_MEDIA"
    assert "`media` is missing" in error["message"]
    assert "probe" in error["hint"]


def test_selected_ops_without_the_probe_take_the_media_of_their_tag(
    rest: httpx.Client, launch: Callable[..., str], annotated: Path
) -> None:
    posted = rest.post(
        "/api/v1/jobs",
        files={"video": ("film.wav", annotated.read_bytes())},
        data={
            "selected_pipelines": "ways",
            "config": '{"ways": {"way": "names_nothing_more"}}',
        },
    ).json()
    config = {"ops": {"ways": {"config": {"way": "names_nothing_more"}}}}
    run = launch("ways", config, {"framegate/media": posted["media"]}, solidSelection=["ways"])

    ended = _ended(rest, run)

    assert ended["status"] == "completed", ended["error"]
    assert ended["video_duration_seconds"] > 0


@pytest.mark.parametrize("number", [".nan", ".inf"])
def test_a_number_that_is_not_finite_is_refused_and_every_list_is_shown(
    rest: httpx.Client, ask: Ask, film: Path, number: str
) -> None:
    """In the launchpad, config is YAML."""
    config = f"ops: {{probe: {{config: {{media: {film}}}}}, ways: {{config: {{size: {number}}}}}}}"
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "framegate",
        "jobName": "ways",
    }

    launched = ask(LAUNCH, parameters={"selector": selector, "runConfigData": config})["launchRun"]

    assert launched["__typename"] == "PythonError", launched
    assert "not finite" in launched["message"]
    assert rest.get("/api/v1/jobs").status_code == 200


def test_a_run_with_a_forged_kind_is_a_job_all_the_same(
    rest: httpx.Client, launch: Callable[..., str], film: Path
) -> None:
    config = _config(str(film), way="names_nothing_more")
    run = launch("ways", config, {"framegate/kind": "maintenance"})

    assert _ended(rest, run)["status"] == "completed"
    listed = rest.get("/api/v1/jobs", params={"per_page": 20}).json()["jobs"]
    assert run in {job["id"] for job in listed}
