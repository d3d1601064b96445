"""What a run is told to be when it enters the queue."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, SubmitRunContext

from contracts.cached_file import CachedFile, record_of, write_cached_file
from contracts.home import Home
from contracts.run import (
    KIND,
    KIND_TAG,
    MAINTENANCE_KIND,
    MEDIA_PATH_TAG,
    MEDIA_TAG,
    PROBE_OP,
)
from orchestration.annotation.asset_keys import asset_key
from orchestration.dagster_internals.tags import PARTITION_NAME_TAG
from orchestration.dagster_internals.testing import RemoteJobOrigin
from orchestration.launcher.coordinator import PromptRunCoordinator

SHA256 = "a" * 64
Submit = Callable[..., DagsterRun]


@pytest.fixture
def submit(dagster: DagsterInstance, origin_of: Callable[[str], RemoteJobOrigin]) -> Submit:
    """The run as it lies in the queue."""

    def submit(job: str, **facts: Any) -> DagsterRun:
        run = dagster.add_run(
            DagsterRun(
                job,
                status=DagsterRunStatus.NOT_STARTED,
                remote_job_origin=origin_of(job),
                **facts,
            )
        )
        coordinator = PromptRunCoordinator()
        coordinator.register_instance(dagster)
        coordinator.submit_run(SubmitRunContext(run, None))  # type: ignore[arg-type] # asks it nothing
        queued = dagster.get_run_by_id(run.run_id)
        assert queued
        assert queued.status is DagsterRunStatus.QUEUED
        return queued

    return submit


@pytest.fixture
def see(dagster: DagsterInstance, dagster_home: Home, tmp_path: Path) -> Callable[..., Path]:
    """Adds a run that was given a file by its path, and what was read of that file."""

    def see(name: str, *, known_as: str = "", is_there: bool = True) -> Path:
        path = tmp_path / name
        path.write_text(name)
        if known_as:
            write_cached_file(record_of(dagster_home, path), CachedFile(path, known_as, {}))
        if not is_there:
            path.unlink()
        config = {"ops": {PROBE_OP: {"config": {"media": str(path)}}}}
        dagster.add_run(DagsterRun("faces", run_config=config, tags={MEDIA_TAG: SHA256}))
        return path

    return see


@pytest.mark.parametrize("forged", [{}, {KIND_TAG: "nonsense"}, {KIND_TAG: MAINTENANCE_KIND}])
def test_a_run_of_a_pipeline_is_a_job_whatever_its_tags_say(
    submit: Submit, forged: dict[str, str]
) -> None:
    assert submit("faces", tags=forged).tags[KIND_TAG] == KIND


def test_a_maintenance_run_cannot_pass_for_a_job(submit: Submit) -> None:
    assert submit("retention_sweep", tags={KIND_TAG: KIND}).tags[KIND_TAG] == MAINTENANCE_KIND


def _materialize(submit: Submit) -> DagsterRun:
    keys = frozenset([asset_key("faces")])
    return submit("__ASSET_JOB", asset_selection=keys, tags={PARTITION_NAME_TAG: SHA256})


def test_media_that_was_named_by_its_path_is_found_by_its_hash(
    submit: Submit, see: Callable[..., Path]
) -> None:
    path = see("film.mp4", known_as=SHA256)

    assert _materialize(submit).tags[MEDIA_PATH_TAG] == str(path)


def test_a_path_where_the_media_is_known_to_be_goes_before_newer_ones(
    submit: Submit, see: Callable[..., Path]
) -> None:
    unchanged = see("film.mp4", known_as=SHA256)
    see("overwritten.mp4", known_as="b" * 64)
    see("moved.mp4", is_there=False)

    assert _materialize(submit).tags[MEDIA_PATH_TAG] == str(unchanged)


def test_media_that_is_gone_is_still_told_by_where_it_was(
    submit: Submit, see: Callable[..., Path]
) -> None:
    path = see("film.mp4", is_there=False)

    assert _materialize(submit).tags[MEDIA_PATH_TAG] == str(path)


def test_media_in_the_store_needs_no_path(
    submit: Submit, see: Callable[..., Path], dagster_home: Home
) -> None:
    see("film.mp4", known_as=SHA256)
    dagster_home.media(SHA256).parent.mkdir(parents=True)
    dagster_home.media(SHA256).write_text("stored")

    assert MEDIA_PATH_TAG not in _materialize(submit).tags
