"""Whose turn it is: nobody waits for those who wait."""

import shutil
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterRunStatus

from orchestration.automation import inbox as inbox_sensor
from orchestration.inbox import inbox as inbox_module
from orchestration.inbox.cursor import Cursor, HighWaterMark
from orchestration.inbox.entry import Entry
from orchestration.inbox.fair_order import FairOrder


def entry(number: int) -> Entry:
    return Entry(f"{number}.mp4", (number, number), is_file=True)


def test_folders_take_turns_and_within_one_the_oldest_is_first() -> None:
    due = {"a": [entry(1), entry(2), entry(3)], "b": [entry(4)]}

    order = [(name, each.change_time[0]) for name, each in FairOrder().order(due, now=0.0)]

    assert order == [("a", 1), ("b", 4), ("a", 2), ("a", 3)]


def test_new_files_come_before_those_that_were_looked_at() -> None:
    fair_order, due = FairOrder(), {"a": [entry(1), entry(2), entry(3)]}
    fair_order.note("a", entry(2), now=1.0)
    fair_order.note("a", entry(1), now=2.0)

    assert [each.change_time[0] for _name, each in fair_order.order(due, now=3.0)] == [3, 2, 1]


def test_the_longer_a_file_waits_the_longer_it_is_left_alone() -> None:
    fair_order, visits = FairOrder(), []
    for second in range(7200):
        for _name, each in fair_order.order({"a": [entry(1)]}, now=float(second)):
            fair_order.note("a", each, now=float(second))
            visits.append(second)

    pauses = [later - earlier for earlier, later in pairwise(visits)]
    assert pauses[0] == 1
    assert pauses == sorted(pauses)
    assert max(pauses) == 900


def test_what_is_no_more_due_is_forgotten() -> None:
    fair_order = FairOrder()
    fair_order.note("a", entry(1), now=1.0)
    list(fair_order.order({"a": []}, now=2.0))

    assert list(fair_order.order({"a": [entry(1)]}, now=1.0)) == [("a", entry(1))]


def test_a_good_video_is_run_however_many_bad_files_cannot_be_moved_aside(
    inbox: Any, video: Path
) -> None:
    folder = inbox.folder()
    (folder / "rejected").write_text("a file where the folder is to be")
    for number in range(600):
        (folder / f"{number}.mp4").touch()
    time.sleep(0.05)
    shutil.copy(video, folder / "good.mp4")

    for _tick in range(3):
        inbox.tick()

    assert len(inbox.requests) == 1
    inbox.tick()
    assert len(inbox.message) < 10_000

    (folder / "rejected").unlink()
    deadline = time.monotonic() + 120
    while len(list(folder.glob("*.mp4"))) > 1 and time.monotonic() < deadline:
        inbox.tick()
    assert [path.name for path in folder.glob("*.mp4")] == ["good.mp4"]


def test_while_enough_jobs_wait_no_more_are_requested(
    inbox: Any, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox_module, "_MOST_QUEUED", 2)
    for video in videos:
        shutil.copy(video, inbox.folder() / video.name)
    evaluated = inbox.evaluate()
    assert len(evaluated.run_requests) == 2
    for request in evaluated.run_requests:
        inbox.launch(request, DagsterRunStatus.QUEUED)
    inbox.cursor = evaluated.cursor

    assert inbox.tick() == []
    assert "wait until fewer than 2 jobs of the inbox are in the queue" in inbox.message

    inbox.instance.delete_run(inbox.runs()[0].run_id)
    assert len(inbox.tick()) == 1


def test_a_file_that_is_dropped_after_the_clock_was_set_back_is_run(
    inbox: Any, videos: list[Path]
) -> None:
    """What the last look settled seems to be later than the file; by the time of the next look it
    is past.
    """
    shutil.copy(videos[0], inbox.folder() / "a.mp4")
    inbox.tick()
    inbox.tick()
    cursor = Cursor.read(inbox.cursor)
    assert cursor.clock is not None
    ahead = 60 * 1_000_000_000
    clock = type(cursor.clock)(cursor.clock.boot, cursor.clock.ahead + ahead)
    shutil.copy(videos[1], inbox.folder() / "b.mp4")
    marks = dict.fromkeys(cursor.marks, HighWaterMark((time.time_ns(), 0)))
    inbox.cursor = Cursor(marks=marks, clock=clock).write()

    assert len(inbox.tick()) == 1


def test_an_inbox_that_is_put_elsewhere_is_looked_through(
    open_inbox: Callable[..., Any], tmp_path: Path, videos: list[Path]
) -> None:
    """Also what lay there before the last file of the former one."""
    folder = tmp_path / "elsewhere" / "scene_detection"
    folder.mkdir(parents=True)
    shutil.copy(videos[0], folder / "old.mp4")
    inbox = open_inbox()
    shutil.copy(videos[1], inbox.folder() / "a.mp4")
    inbox.tick()
    inbox.tick()

    moved = open_inbox(inbox=tmp_path / "elsewhere")
    moved.cursor = inbox.cursor

    assert len(moved.tick()) == 1


def test_a_preset_that_was_broken_for_a_while_and_is_edited_runs_nothing_again(
    open_inbox: Callable[..., Any], tmp_path: Path, video: Path
) -> None:
    preset = tmp_path / "home" / "presets" / "faces.yaml"
    preset.parent.mkdir(parents=True)
    preset.write_text("pipelines: [scene_detection]\n")
    inbox = open_inbox()
    shutil.copy(video, inbox.folder("faces") / "a.mp4")
    assert len(inbox.tick()) == 1
    inbox.tick()

    for text in (
        "pipelines: [scene_detection\n",
        "pipelines: [scene_detection]\nconfig: {scene_detection: {threshold: 0.25}}\n",
    ):
        preset.write_text(text)
        again = open_inbox()
        again.cursor = inbox.cursor
        assert again.tick() == []
        inbox = again


def test_presets_are_loaded_anew_while_there_are_files_to_run(
    inbox: Any, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def reload() -> bool:
        asked.append(True)
        return True

    monkeypatch.setattr(inbox_sensor, "reload_code_location", reload)
    inbox.home.presets.mkdir(parents=True, exist_ok=True)
    (inbox.home.presets / "new.yaml").write_text("pipelines: [scene_detection]\n")

    for video in videos[:2]:
        shutil.copy(video, inbox.folder() / video.name)
        assert len(inbox.tick()) == 1

    assert asked == [True]
