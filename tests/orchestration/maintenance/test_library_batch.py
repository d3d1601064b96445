"""The nightly batch on real files and a real Dagster instance: queued once, and only what lacks."""

import hashlib
import os
import time
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetMaterialization,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    JobDefinition,
    RunsFilter,
)

from contracts.home import Home
from contracts.run import KIND, KIND_TAG, MEDIA_TAG, OWNER_TAG, PRIORITY_TAG, pipelines_of
from orchestration.annotation.assets import asset_key
from orchestration.annotation.jobs import build_jobs
from orchestration.dagster_internals.data_versions import CODE_VERSION_TAG
from orchestration.launcher.resource_request import resource_request_of
from orchestration.maintenance.library_batch import build_library_batch
from orchestration.settings import Settings
from pipelines.registry.catalog import load_catalog

SCENES, SPEECH = "scene_detection", "speech_activity"
_HOUR = 3600.0

Execute = Callable[..., Any]
Record = Callable[..., None]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder with one clip, and what lies about beside clips."""
    folder = tmp_path / "library"
    (folder / "trip").mkdir(parents=True)
    with wave.open(str(folder / "trip" / "clip.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(3200))
    (folder / "notes.txt").write_text("nothing to annotate")
    for path in folder.rglob("*.*"):
        _age(path)
    return folder


@pytest.fixture
def clip(library: Path) -> Path:
    return library / "trip" / "clip.wav"


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> list[JobDefinition]:
    """What the batch queues; nobody executes it here."""
    return build_jobs(load_catalog(), Home(tmp_path_factory.mktemp("home")))


@pytest.fixture
def batch(home: Home, library: Path, jobs: list[JobDefinition]) -> JobDefinition:
    settings = Settings(
        home=home.root, library_roots=(library,), batch_pipelines=(SCENES, SPEECH), batch_limit=5
    )
    return build_library_batch(settings, load_catalog(), jobs)


@pytest.fixture
def record(instance: DagsterInstance) -> Record:
    """Records an annotation as a job does in the end."""

    def record(pipeline: str, clip: Path, version: str | None = None) -> None:
        version = version or load_catalog().cards[pipeline].version
        instance.report_runless_asset_event(
            AssetMaterialization(
                asset_key(pipeline), partition=_sha256(clip), tags={CODE_VERSION_TAG: version}
            )
        )

    return record


@pytest.fixture
def queued(instance: DagsterInstance) -> Callable[[], list[DagsterRun]]:
    """The jobs that wait in the queue."""
    return lambda: list(instance.get_runs(RunsFilter(statuses=[DagsterRunStatus.QUEUED])))


def _age(path: Path) -> None:
    past = time.time() - _HOUR
    os.utime(path, (past, past))


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_new_clip_becomes_one_job_of_everything_it_lacks(
    execute: Execute, batch: JobDefinition, queued: Any, clip: Path
) -> None:
    night = execute(batch)

    [run] = queued()
    assert run.job_name == "annotate"
    assert pipelines_of(run.tags, run.job_name) == [SCENES, SPEECH]
    assert run.op_selection == ["probe", SCENES, SPEECH]
    assert run.run_config["ops"]["probe"]["config"]["media"] == str(clip)
    assert run.tags[MEDIA_TAG] == _sha256(clip)
    assert (run.tags[OWNER_TAG], run.tags[KIND_TAG]) == ("library", KIND)
    assert int(run.tags[PRIORITY_TAG]) < 0
    assert run.remote_job_origin.job_name == "annotate"
    assert night.metadata["queued"] == 1
    assert [row["file"] for row in night.metadata["files"]] == [str(clip)]


def test_a_second_batch_queues_nothing(execute: Execute, batch: JobDefinition, queued: Any) -> None:
    execute(batch)
    again = execute(batch)

    assert len(queued()) == 1
    assert (again.metadata["queued"], again.metadata["under_way"]) == (0, 1)


def test_only_the_missing_pipeline_is_queued(
    execute: Execute, batch: JobDefinition, queued: Any, clip: Path, record: Record
) -> None:
    record(SCENES, clip)
    execute(batch)

    [run] = queued()
    assert (run.job_name, run.op_selection) == (SPEECH, None)


def test_an_annotation_of_an_older_version_is_made_anew(
    execute: Execute, batch: JobDefinition, queued: Any, clip: Path, record: Record
) -> None:
    record(SCENES, clip, version="0.0.1")
    record(SPEECH, clip)
    execute(batch)

    assert [run.job_name for run in queued()] == [SCENES]


def test_what_is_annotated_is_left_alone(
    execute: Execute, batch: JobDefinition, queued: Any, clip: Path, record: Record
) -> None:
    record(SCENES, clip)
    record(SPEECH, clip)
    night = execute(batch)

    assert queued() == []
    assert night.metadata["current"] == 1


def test_a_clip_that_fails_every_time_is_given_up(
    execute: Execute, batch: JobDefinition, queued: Any, instance: DagsterInstance
) -> None:
    keys = set()
    for _night in range(2):
        execute(batch, attempts=2)
        [run] = queued()
        keys.add(run.tags["framegate/batch_key"])
        instance.report_run_failed(run, "hopeless")
    last = execute(batch, attempts=2)

    assert len(keys) == 2
    assert queued() == []
    assert last.metadata["given_up"] == 1


def test_a_file_that_is_still_copied_is_left_for_the_next_night(
    execute: Execute, batch: JobDefinition, queued: Any, clip: Path
) -> None:
    os.utime(clip)
    execute(batch)

    assert queued() == []


def test_a_night_has_a_limit(
    execute: Execute, batch: JobDefinition, queued: Any, clip: Path
) -> None:
    other = clip.with_name("other.wav")
    other.write_bytes(clip.read_bytes() + bytes(2))
    _age(other)
    nights = [execute(batch, limit=1) for _night in range(2)]

    assert [night.metadata["queued"] for night in nights] == [1, 1]
    assert {Path(run.run_config["ops"]["probe"]["config"]["media"]).name for run in queued()} == {
        "clip.wav",
        "other.wav",
    }


def test_a_job_that_a_killed_batch_could_not_queue_is_queued(
    execute: Execute, batch: JobDefinition, queued: Any, instance: DagsterInstance
) -> None:
    execute(batch)
    [run] = queued()
    forgotten = run.with_status(DagsterRunStatus.NOT_STARTED)
    instance.delete_run(run.run_id)
    instance.add_run(forgotten)
    execute(batch)

    assert [run.run_id for run in queued()] == [forgotten.run_id]


def test_a_library_that_is_not_there_is_told_of(execute: Execute, batch: JobDefinition) -> None:
    night = execute(batch, roots=["/nowhere"])

    assert night.succeeded
    [row] = night.metadata["files"]
    assert (row["file"], row["outcome"]) == ("/nowhere", "unreadable")
    assert "mounted" in row["detail"]


def test_a_file_that_cannot_be_read_is_told_of_and_stops_nothing(
    execute: Execute, batch: JobDefinition, queued: Any, clip: Path
) -> None:
    broken = clip.with_name("a broken one.mp4")
    broken.write_text("nonsense")
    _age(broken)
    night = execute(batch)

    assert len(queued()) == 1
    assert night.metadata["files"][0] == {
        "file": str(broken),
        "outcome": "unreadable",
        "detail": "The file is not video or audio that can be read.",
    }


def test_an_unknown_pipeline_is_named(execute: Execute, batch: JobDefinition) -> None:
    assert not execute(batch, pipelines=["scene_detectoin"]).succeeded


def test_a_batch_needs_no_device(execute: Execute, batch: JobDefinition) -> None:
    assert not resource_request_of(execute(batch).run, load_catalog(), {}).takes_slot
