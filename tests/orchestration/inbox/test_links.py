"""Results are linked beside their video where that is asked for."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus

from orchestration.inbox import links
from orchestration.inbox.cursor import Cursor


def _end(inbox: Any, status: DagsterRunStatus = DagsterRunStatus.SUCCESS) -> tuple[Any, Path]:
    """The only run ends, and has left results."""
    [run] = inbox.runs()
    return run, _end_run(inbox, run, status)


def _end_run(
    inbox: Any, run: DagsterRun, status: DagsterRunStatus = DagsterRunStatus.SUCCESS
) -> Path:
    results: Path = inbox.home.results(run.run_id)
    (results / "scene_detection").mkdir(parents=True)
    instance: DagsterInstance = inbox.instance
    instance.run_storage.delete_run(run.run_id)
    instance.add_run(run.with_status(status))
    return results


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


def test_the_longest_name_that_is_not_utf_8_gets_its_link_and_so_does_its_copy(
    inbox: Any, video: Path
) -> None:
    name = os.fsdecode(b"\xe9" * 251 + b".mp4")
    file = Path(shutil.copy(video, inbox.folder() / name))
    inbox.tick()
    _run, results = _end(inbox)
    inbox.tick()
    [link] = file.parent.glob("*.results")
    assert link.readlink() == results

    shutil.copy(file, file.with_name("copy.mp4"))
    inbox.tick()

    assert file.with_name("copy.mp4.results").readlink() == results


def test_a_link_that_cannot_be_made_is_told_and_holds_up_nothing(
    inbox: Any, videos: list[Path]
) -> None:
    file = Path(shutil.copy(videos[0], inbox.folder() / "a.mp4"))
    inbox.tick()
    run, _results = _end(inbox)
    file.with_name(f".{run.run_id}.results").mkdir()  # where the link is made first
    shutil.copy(file, file.with_name("b.mp4"))
    shutil.copy(videos[1], inbox.folder("speech_activity") / "c.mp4")

    [request] = inbox.tick()

    assert request.job_name == "speech_activity"
    assert inbox.tick() == []
    assert "a.mp4 cannot be linked" in inbox.message


def test_a_link_that_could_not_be_made_is_made_when_the_video_is_touched(
    inbox: Any, video: Path
) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    inbox.tick()
    run, results = _end(inbox)
    blocker = file.with_name(f".{run.run_id}.results")
    blocker.mkdir()
    inbox.tick()
    blocker.rmdir()
    looked_on = Cursor.read(inbox.cursor).model_copy(update={"linked_until": time.time() + 3600})
    inbox.cursor = looked_on.write()

    os.utime(file)
    inbox.tick()

    assert file.with_name("a.mp4.results").readlink() == results


def test_more_runs_have_ended_than_one_look_links(
    inbox: Any, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "_PAGE", 2)
    for video in videos:
        shutil.copy(video, inbox.folder() / video.name)
    inbox.tick()
    for run in inbox.runs():
        _end_run(inbox, run)

    for _tick in range(2):
        inbox.tick()

    linked = {path.name for path in inbox.folder().glob("*.results")}
    assert linked == {f"{video.name}.results" for video in videos}
