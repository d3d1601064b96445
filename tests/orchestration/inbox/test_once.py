"""One content with one config is run once, whatever happens to the file."""

import os
import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterRunStatus

from contracts.run import INBOX_FILE_TAG, MEDIA_TAG, OWNER_TAG, PRESET_TAG
from orchestration.annotation.media_store import locate_media
from orchestration.inbox import intake
from orchestration.inbox.cursor import Cursor
from pipelines.errors import MediaError
from pipelines.media import probe


def test_a_dropped_video_asks_for_one_run(inbox: Any, video: Path) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))

    [request] = inbox.tick()

    sha256 = request.tags[MEDIA_TAG]
    assert request.job_name == "scene_detection"
    assert request.run_config["ops"]["probe"]["config"] == {"media": sha256, "filename": "a.mp4"}
    assert request.tags[OWNER_TAG] == "inbox"
    assert request.tags[INBOX_FILE_TAG] == str(file)
    assert inbox.home.media(sha256).samefile(file)
    assert inbox.tick() == []


def test_every_pipeline_has_its_folder_before_anything_is_dropped(inbox: Any) -> None:
    inbox.tick()

    names = {path.name for path in inbox.home.inbox.iterdir()}
    assert {"face_detection", "scene_detection", "speech_activity"} <= names


def test_a_file_that_still_changes_is_left_alone(
    open_inbox: Callable[..., Any], video: Path
) -> None:
    inbox = open_inbox(inbox_quiet_seconds=3600.0)
    shutil.copy(video, inbox.folder() / "a.mp4")

    assert inbox.tick() == []


def test_a_file_that_is_open_for_writing_waits_however_quiet_it_is(inbox: Any, video: Path) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    with file.open("ab"):
        assert inbox.tick() == []
        assert "still open for writing" in inbox.message
        shutil.copy(video, inbox.folder("speech_activity") / "b.mp4")
        assert len(inbox.tick()) == 1  # nothing waits for it

    assert len(inbox.tick()) == 1


@pytest.mark.parametrize("change", ["renamed", "touched", "copied", "copied over itself"])
def test_the_same_content_is_not_run_twice(inbox: Any, video: Path, change: str) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    assert len(inbox.tick()) == 1
    match change:
        case "renamed":
            file.rename(file.with_name("b.mp4"))
        case "touched":
            os.utime(file)
        case "copied":
            shutil.copy(file, file.with_name("b.mp4"))
        case _:
            shutil.copy(video, file)

    assert inbox.tick() == []
    assert inbox.tick() == []


def test_two_files_of_one_content_in_one_tick_are_one_run(inbox: Any, video: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(video, inbox.folder() / name)

    assert len(inbox.tick()) == 1
    assert inbox.tick() == []


def test_the_same_content_is_run_once_for_each_config(
    open_inbox: Callable[..., Any], tmp_path: Path, video: Path
) -> None:
    """Where a preset says in other words what the pipeline does anyway, it is the same config."""
    presets = tmp_path / "home" / "presets"
    presets.mkdir(parents=True)
    (presets / "same.yaml").write_text(
        "pipelines: [scene_detection]\nconfig: {scene_detection: {threshold: 0.5}}\n"
    )
    (presets / "other.yaml").write_text(
        "pipelines: [scene_detection]\nconfig: {scene_detection: {threshold: 0.25}}\nowner: ana\n"
    )
    inbox = open_inbox()
    for name in ("scene_detection", "same", "other"):
        shutil.copy(video, inbox.folder(name) / "a.mp4")

    requests = {request.job_name: request for request in inbox.tick()}

    assert len(requests) == 2
    assert "other" in requests
    assert requests["other"].tags[PRESET_TAG] == "other"
    assert requests["other"].tags[OWNER_TAG] == "ana"


def test_new_content_under_the_same_name_is_a_new_run(inbox: Any, videos: list[Path]) -> None:
    """And what the first run is to read is not mistaken for it: both names are one file."""
    file = inbox.folder() / "a.mp4"
    shutil.copy(videos[0], file)
    [first] = inbox.tick()
    shutil.copyfile(videos[1], file)  # in place

    with pytest.raises(MediaError, match="no media"):
        locate_media(inbox.home, first.tags[MEDIA_TAG])
    [second] = inbox.tick()

    assert second.tags[MEDIA_TAG] != first.tags[MEDIA_TAG]
    assert locate_media(inbox.home, second.tags[MEDIA_TAG]).samefile(file)


def test_a_touched_video_stays_in_the_store(inbox: Any, video: Path) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    [request] = inbox.tick()

    os.utime(file)

    assert locate_media(inbox.home, request.tags[MEDIA_TAG]).samefile(file)


def test_a_video_that_is_deleted_afterwards_is_still_there_for_its_run(
    inbox: Any, video: Path
) -> None:
    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    [request] = inbox.tick()

    file.unlink()

    assert locate_media(inbox.home, request.tags[MEDIA_TAG]).read_bytes() == video.read_bytes()


def test_after_a_restart_without_its_cursor_nothing_is_run_again(
    open_inbox: Callable[..., Any], video: Path
) -> None:
    inbox = open_inbox()
    shutil.copy(video, inbox.folder() / "a.mp4")
    assert len(inbox.tick()) == 1

    assert open_inbox().tick() == []


def test_what_a_tick_requested_that_was_cut_off_is_requested_again(inbox: Any, video: Path) -> None:
    shutil.copy(video, inbox.folder() / "a.mp4")
    [lost] = inbox.evaluate().run_requests

    [request] = inbox.tick()

    assert request.run_key == lost.run_key
    assert len(inbox.runs()) == 1


def test_a_run_that_was_created_and_not_submitted_is_requested_again(
    inbox: Any, video: Path
) -> None:
    """The daemon was killed in between: it submits the run that is there, and makes no other."""
    shutil.copy(video, inbox.folder() / "a.mp4")
    [request] = inbox.evaluate().run_requests
    inbox.launch(request, DagsterRunStatus.NOT_STARTED)

    assert len(inbox.tick()) == 1

    [run] = inbox.runs()
    assert run.status is DagsterRunStatus.STARTING
    assert inbox.tick() == []


def test_two_ticks_at_once_are_one_run(open_inbox: Callable[..., Any], video: Path) -> None:
    """A reload leaves the old sensor to finish its tick beside the new one's."""
    inbox, other = open_inbox(), open_inbox()
    shutil.copy(video, inbox.folder() / "a.mp4")
    evaluated = [inbox.evaluate(), other.evaluate()]

    for each in evaluated:
        for request in each.run_requests:
            inbox.launch(request)

    assert len(inbox.runs()) == 1


@pytest.fixture(scope="module")
def opened() -> list[str]:
    """The paths of all files that are opened. Python never takes such a hook back."""
    paths: list[str] = []

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(arguments[0], str):
            paths.append(arguments[0])

    sys.addaudithook(note)
    return paths


@pytest.fixture
def full_inbox(inbox: Any, video: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """600 files that have been dealt with, each of its own content, and 900 copies of them."""
    monkeypatch.setattr(intake, "probe_apart", _probe_here)
    content = video.read_bytes()
    for number in range(600):
        free = b"free" + number.to_bytes(4)  # a box of MP4 that players pass over
        (inbox.folder() / f"{number}.mp4").write_bytes(content + (12).to_bytes(4) + free)
    for number in range(900):
        source = inbox.folder() / f"{number % 600}.mp4"
        shutil.copyfile(source, source.with_name(f"copy of {number}.mp4"))
    deadline = time.monotonic() + 300
    settled = None
    while _marks(inbox) != settled and time.monotonic() < deadline:
        settled = _marks(inbox)
        assert len(inbox.tick()) <= 100
    return inbox


def _probe_here(path: Path, name: str) -> dict[str, Any]:
    """A process for each of so many files would take minutes."""
    facts = asdict(probe(path, name))
    del facts["path"]
    return facts


def _marks(inbox: Any) -> Any:
    return Cursor.read(inbox.cursor).marks


def test_files_that_were_dealt_with_are_not_opened_again(
    full_inbox: Any, opened: list[str], videos: list[Path]
) -> None:
    assert len(full_inbox.runs()) == len(full_inbox.requests) == 600
    assert len(full_inbox.cursor) < 1000

    opened.clear()
    assert full_inbox.tick() == []
    assert [path for path in opened if str(full_inbox.home.inbox) in path] == []

    fresh = Path(shutil.copy(videos[1], full_inbox.folder() / "fresh.mp4"))
    assert len(full_inbox.tick()) == 1
    assert {path for path in opened if str(full_inbox.home.inbox) in path} == {str(fresh)}
