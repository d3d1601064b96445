"""Results are linked beside their video where that is asked for."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus


def _end(inbox: Any, status: DagsterRunStatus = DagsterRunStatus.SUCCESS) -> tuple[Any, Path]:
    """The only run ends, and has left results."""
    [run] = inbox.runs()
    results: Path = inbox.home.results(run.run_id)
    (results / "scene_detection").mkdir(parents=True)
    instance: DagsterInstance = inbox.instance
    instance.run_storage.delete_run(run.run_id)
    instance.add_run(_ended(run, status))
    return run, results


def _ended(run: DagsterRun, status: DagsterRunStatus) -> DagsterRun:
    return run.with_status(status)


@pytest.fixture
def inbox(open_inbox: Callable[..., Any]) -> Any:
    return open_inbox(inbox_link_results=True)


@pytest.mark.parametrize("status", [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE])
def test_results_are_linked_once_the_run_has_ended(
    inbox: Any, video: Path, status: DagsterRunStatus
) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    inbox.tick()
    link = file.with_name("a.mp4.results")
    assert not link.is_symlink()
    _run, results = _end(inbox, status)

    inbox.tick()

    assert link.readlink() == results
    assert inbox.tick() == []
    assert link.is_symlink()


def test_a_renamed_video_takes_its_link_along(inbox: Any, video: Path) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    inbox.tick()
    _run, results = _end(inbox)
    inbox.tick()

    file.rename(file.with_name("b.mp4"))
    inbox.tick()

    assert file.with_name("b.mp4.results").readlink() == results
    assert not file.with_name("a.mp4.results").is_symlink()


def test_a_video_renamed_while_it_is_run_has_its_link_beside_the_new_name(
    inbox: Any, video: Path
) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    inbox.tick()
    file.rename(file.with_name("b.mp4"))
    inbox.tick()
    _run, results = _end(inbox)

    inbox.tick()

    assert file.with_name("b.mp4.results").readlink() == results


def test_a_copy_gets_a_link_of_its_own(inbox: Any, video: Path) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    inbox.tick()
    _run, results = _end(inbox)
    inbox.tick()

    shutil.copy(file, file.with_name("b.mp4"))
    inbox.tick()

    assert file.with_name("a.mp4.results").readlink() == results
    assert file.with_name("b.mp4.results").readlink() == results


def test_nothing_of_the_users_is_overwritten(inbox: Any, video: Path) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    inbox.tick()
    own = file.with_name("a.mp4.results")
    own.symlink_to(video)
    _end(inbox)

    inbox.tick()

    assert own.readlink() == video


def test_without_being_asked_nothing_is_linked(open_inbox: Callable[..., Any], video: Path) -> None:
    inbox = open_inbox()
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    inbox.tick()
    _end(inbox)

    inbox.tick()

    assert not file.with_name("a.mp4.results").is_symlink()


def test_a_preset_asks_for_itself(
    open_inbox: Callable[..., Any], tmp_path: Path, video: Path
) -> None:
    presets = tmp_path / "home" / "presets"
    presets.mkdir(parents=True)
    (presets / "linked.yaml").write_text("pipelines: [scene_detection]\nlink_results: true\n")
    inbox = open_inbox()
    file = Path(shutil.copy(video, inbox.folder("linked") / "a.mp4"))
    inbox.tick()
    _run, results = _end(inbox)

    inbox.tick()

    assert file.with_name("a.mp4.results").readlink() == results
