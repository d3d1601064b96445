"""A sweep on real files and a real Dagster instance."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, JobDefinition

from contracts.cached_file import CachedFile, record_of, write_cached_file
from contracts.home import Home
from contracts.json_file import write_json
from contracts.run import KEEP_TAG, KIND, KIND_TAG, LIBRARY_OWNER, MEDIA_TAG, OWNER_TAG, PROBE_OP
from contracts.stored_media import claim_media
from orchestration.maintenance import audit, remover
from orchestration.maintenance.retention_sweep import build_retention_sweep
from orchestration.settings import Settings

MEDIA = "a" * 64
_DAY = 24 * 3600.0

Execute = Callable[..., Any]
AddJob = Callable[..., DagsterRun]


@pytest.fixture
def sweep(home: Home) -> JobDefinition:
    return build_retention_sweep(Settings(home=home.root, retention_days=30))


@pytest.fixture
def add_job(instance: DagsterInstance, home: Home, origin_of: Callable[[str], Any]) -> AddJob:
    """A job of so many days ago, with its results, and its media in the store."""

    def add(
        days: float,
        *,
        status: DagsterRunStatus = DagsterRunStatus.SUCCESS,
        media: str = MEDIA,
        **tags: str,
    ) -> DagsterRun:
        run = instance.add_run(
            DagsterRun(
                job_name="scene_detection",
                run_config={"ops": {PROBE_OP: {"config": {"media": media}}}},
                status=status,
                tags={KIND_TAG: KIND, **tags},
                remote_job_origin=origin_of("scene_detection"),
            )
        )
        _end(instance, run, time.time() - days * _DAY)
        published = home.results(run.run_id) / "scene_detection"
        published.mkdir(parents=True)
        (published / "scenes.json").write_text("{}")
        _store(home, media, days)
        return run

    return add


def _end(instance: DagsterInstance, run: DagsterRun, ended_at: float) -> None:
    """As if the run had ended then: Dagster writes down when it learns of it."""
    if run.is_finished:
        storage: Any = instance.run_storage
        with storage.connect() as connection:
            connection.exec_driver_sql(
                "UPDATE runs SET end_time = ? WHERE run_id = ?", (ended_at, run.run_id)
            )


def _store(home: Home, media: str, days: float) -> None:
    if len(media) == len(MEDIA) and not home.media(media).exists():
        write_json(home.media_facts(media), {"name": "clip.mp4"})
        home.media(media).write_bytes(b"video")
        _age(home.media_facts(media), days)


def _age(path: Path, days: float) -> None:
    past = time.time() - days * _DAY
    os.utime(path, (past, past))


def _audit(home: Home) -> list[dict[str, Any]]:
    return [json.loads(line) for line in home.retention_audit.read_text().splitlines()]


def test_an_old_job_goes_with_its_results_and_its_media(
    execute: Execute, sweep: JobDefinition, add_job: AddJob, instance: DagsterInstance, home: Home
) -> None:
    old, young = add_job(days=31), add_job(days=2, media="b" * 64)
    done = execute(sweep, dry_run=False)

    assert done.succeeded
    assert not instance.has_run(old.run_id)
    assert not home.job(old.run_id).exists()
    assert not home.media(MEDIA).exists()
    assert instance.has_run(young.run_id)
    assert home.results(young.run_id).exists()
    assert home.media("b" * 64).exists()
    assert (done.metadata["jobs"], done.metadata["media"]) == (1, 1)
    assert done.metadata["bytes_freed"] > 0
    lines = [(line["what"], line["name"], line["why"], line["dry_run"]) for line in _audit(home)]
    assert lines == [("job", old.run_id, "age", False), ("media", MEDIA, "age", False)]


def test_unless_told_otherwise_nothing_is_deleted(
    execute: Execute, sweep: JobDefinition, add_job: AddJob, instance: DagsterInstance, home: Home
) -> None:
    old = add_job(days=31)
    done = execute(sweep)

    assert instance.has_run(old.run_id)
    assert home.media(MEDIA).exists()
    assert [(line["name"], line["dry_run"]) for line in _audit(home)] == [
        (old.run_id, True),
        (MEDIA, True),
    ]
    assert [row["name"] for row in done.metadata["removals"]] == [old.run_id, MEDIA]


@pytest.mark.parametrize("status", [DagsterRunStatus.QUEUED, DagsterRunStatus.STARTED])
def test_a_job_that_has_not_ended_stays_with_its_media(
    status: DagsterRunStatus, execute: Execute, sweep: JobDefinition, add_job: AddJob, home: Home
) -> None:
    at_work, old = add_job(days=99, status=status), add_job(days=98)
    execute(sweep, dry_run=False, free_gb=1e9)

    assert home.results(at_work.run_id).exists()
    assert home.media(MEDIA).exists()
    assert not home.job(old.run_id).exists()


def test_what_somebody_wants_to_keep_stays(
    execute: Execute, sweep: JobDefinition, add_job: AddJob, home: Home
) -> None:
    tagged, marked = add_job(days=99, **{KEEP_TAG: "yes"}), add_job(days=99)
    home.keep(marked.run_id).touch()
    execute(sweep, dry_run=False)

    assert home.results(tagged.run_id).exists()
    assert home.results(marked.run_id).exists()


def test_the_librarys_newest_annotation_stays_and_the_one_before_goes(
    execute: Execute, sweep: JobDefinition, add_job: AddJob, home: Home, tmp_path: Path
) -> None:
    video = tmp_path / "video.mp4"
    video.write_bytes(b"video")
    write_cached_file(record_of(home, video), CachedFile(video, MEDIA, {}))
    of_library = {OWNER_TAG: LIBRARY_OWNER, MEDIA_TAG: MEDIA}
    before = add_job(days=99, media=str(video), **of_library)
    newest = add_job(days=98, media=str(video), **of_library)
    execute(sweep, dry_run=False)

    assert home.results(newest.run_id).exists()
    assert not home.results(before.run_id).exists()


def test_leftovers_go_when_they_are_old(execute: Execute, sweep: JobDefinition, home: Home) -> None:
    home.uploads.mkdir(parents=True)
    old = [home.uploads / "old", home.job("3c5a3f1e-0000-4000-8000-000000000000")]
    old += [home.media_path_facts("c" * 64), home.media_facts("d" * 64)]
    for path in old:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if path.parent == home.jobs else path.write_text("{}")
        _age(path, days=2)
    young = home.uploads / "young"
    young.write_text("{}")
    execute(sweep, dry_run=False)

    assert not any(path.exists() for path in old)
    assert young.exists()


def test_media_that_is_submitted_again_during_the_sweep_stays(
    execute: Execute,
    sweep: JobDefinition,
    add_job: AddJob,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The submission comes when stock has been taken, and has no run yet."""
    add_job(days=31)
    take_last_look = remover.run_records

    def submit_meanwhile(instance: DagsterInstance) -> Any:
        assert claim_media(home, MEDIA)
        return take_last_look(instance)

    monkeypatch.setattr(remover, "run_records", submit_meanwhile)
    execute(sweep, dry_run=False)

    assert home.media(MEDIA).exists()
    assert _audit(home)[-1]["error"].startswith("kept")


def test_a_job_that_is_submitted_during_the_sweep_keeps_its_media(
    execute: Execute,
    sweep: JobDefinition,
    add_job: AddJob,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its media was claimed long before, and its run is there only now."""
    add_job(days=31)
    take_last_look = remover.run_records

    def submit_meanwhile(instance: DagsterInstance) -> Any:
        add_job(days=0, status=DagsterRunStatus.QUEUED)
        return take_last_look(instance)

    monkeypatch.setattr(remover, "run_records", submit_meanwhile)
    execute(sweep, dry_run=False)

    assert home.media(MEDIA).exists()


def test_media_that_is_gone_is_gone_from_the_catalog(
    execute: Execute, sweep: JobDefinition, add_job: AddJob, instance: DagsterInstance
) -> None:
    """A file elsewhere is never in the store: it is there for as long as a job is about it."""
    stays, elsewhere, gone_elsewhere = "b" * 64, "c" * 64, "d" * 64
    add_job(days=31, **{MEDIA_TAG: MEDIA})
    add_job(days=2, media=stays, **{MEDIA_TAG: stays})
    add_job(days=2, media="/data/new.mp4", **{MEDIA_TAG: elsewhere})
    add_job(days=31, media="/data/old.mp4", **{MEDIA_TAG: gone_elsewhere})
    every = [MEDIA, stays, elsewhere, gone_elsewhere]
    instance.add_dynamic_partitions("media", every)

    execute(sweep)
    assert sorted(instance.get_dynamic_partitions("media")) == every
    execute(sweep, dry_run=False)
    assert sorted(instance.get_dynamic_partitions("media")) == [stays, elsewhere]


def test_what_is_under_way_has_an_hour_at_least(
    execute: Execute, sweep: JobDefinition, add_job: AddJob, home: Home
) -> None:
    add_job(days=31)

    assert not execute(sweep, dry_run=False, grace_hours=0.0).succeeded
    assert home.media(MEDIA).exists()


def test_a_dry_run_is_written_at_once_and_the_log_goes_on_in_a_new_file(
    execute: Execute,
    sweep: JobDefinition,
    add_job: AddJob,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(5):
        add_job(days=31 + number)
    synced: list[int] = []
    monkeypatch.setattr(audit.os, "fsync", synced.append)
    monkeypatch.setattr(audit, "_MOST_BYTES", 100)

    execute(sweep)
    assert len(synced) == 1
    first = home.retention_audit.read_text()
    execute(sweep)

    assert first.count("\n") == 6
    assert home.retention_audit.with_name("retention.jsonl.1").read_text() == first
    assert len(_audit(home)) == 6
