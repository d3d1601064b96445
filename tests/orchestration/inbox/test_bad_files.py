"""What cannot be run is moved aside with a note; nothing of it holds up the others."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestration.inbox import intake
from orchestration.inbox.folder import InboxFolder
from orchestration.inbox.intake import Rejection
from orchestration.inbox.rejection import set_aside

REASON = Rejection("The file is empty.", "Copy it here again.")


def test_what_is_no_media_is_moved_aside_and_the_rest_is_run(inbox: Any, video: Path) -> None:
    folder = inbox.folder()
    (folder / "text.mp4").write_text("not a video")
    (folder / "empty.mp4").touch()
    (folder / "cut.mp4").write_bytes(video.read_bytes()[:200])
    (folder / "link.mp4").symlink_to(video)
    os.mkfifo(folder / "pipe.mp4")
    shutil.copy(video, folder / "good.mp4")

    [request] = inbox.tick()

    assert request.run_config["ops"]["probe"]["config"]["filename"] == "good.mp4"
    bad = {"text.mp4", "empty.mp4", "cut.mp4", "link.mp4", "pipe.mp4"}
    names = {path.name for path in (folder / "rejected").iterdir()}
    assert names == bad | {f"{name}.reason.txt" for name in bad}
    assert "The file is empty." in (folder / "rejected" / "empty.mp4.reason.txt").read_text()
    assert {path.name for path in folder.iterdir()} == {"good.mp4", "rejected"}
    assert inbox.tick() == []


def test_a_rejected_file_that_is_in_order_now_is_run_once_it_is_moved_back(
    inbox: Any, video: Path
) -> None:
    file = inbox.folder() / "a.mp4"
    file.write_text("not yet a video")
    assert inbox.tick() == []
    aside = inbox.folder() / "rejected" / "a.mp4"

    shutil.copy(video, aside)
    aside.rename(file)

    assert len(inbox.tick()) == 1


@pytest.mark.parametrize(
    "name", [".hidden.mp4", "a.mp4.part", "a.TMP", "a.mp4.crdownload", "a.mp4~", "folder"]
)
def test_unfinished_hidden_and_folders_are_not_looked_at(
    name: str, inbox: Any, video: Path
) -> None:
    path = inbox.folder() / name
    if name == "folder":
        path.mkdir()
        shutil.copy(video, path)
    else:
        shutil.copy(video, path)

    assert inbox.tick() == []
    assert path.exists()
    assert not (inbox.folder() / "rejected").exists()


def test_a_name_that_is_not_utf_8_is_run_under_a_readable_one(inbox: Any, video: Path) -> None:
    name = os.fsdecode(b"caf\xe9.mp4")
    shutil.copy(video, inbox.folder() / name)

    [request] = inbox.tick()

    assert request.run_config["ops"]["probe"]["config"]["filename"] == "caf\ufffd.mp4"


def test_a_folder_that_nothing_has_the_name_of_is_told(inbox: Any) -> None:
    (inbox.home.inbox / "scene_detecton").mkdir(parents=True)

    inbox.tick()

    assert "scene_detecton is ignored" in inbox.message
    assert "did you mean scene_detection?" in inbox.message


def test_a_folder_that_cannot_be_read_is_told_and_the_others_go_on(inbox: Any, video: Path) -> None:
    inbox.home.inbox.mkdir(parents=True)
    (inbox.home.inbox / "face_detection").write_text("a file of that name")
    inbox.tick()
    assert "face_detection cannot be read" in inbox.message

    shutil.copy(video, inbox.folder() / "a.mp4")
    assert len(inbox.tick()) == 1


def test_no_rejected_file_is_ever_overwritten(folder: InboxFolder) -> None:
    for content in ("one", "two", "three"):
        (folder.path / "a.mp4").write_text(content)
        set_aside(folder, "a.mp4", REASON)

    kept = {path.name: path.read_text() for path in folder.rejected.glob("*.mp4")}
    assert kept == {"a.mp4": "one", "a (2).mp4": "two", "a (3).mp4": "three"}
    assert all((folder.rejected / f"{name}.reason.txt").is_file() for name in kept)


@pytest.mark.parametrize(
    "name", ["x" * 251 + ".mp4", "ü" * 125 + ".mp4", "." + "x" * 254, os.fsdecode(b"\xe9" * 255)]
)
def test_the_longest_names_have_room_for_their_note(name: str, folder: InboxFolder) -> None:
    (folder.path / name).write_text("bad")

    target = set_aside(folder, name, REASON)

    assert target.read_text() == "bad"
    assert target.with_name(f"{target.name}.reason.txt").is_file()


def test_a_file_that_vanished_leaves_no_note(folder: InboxFolder) -> None:
    with pytest.raises(FileNotFoundError):
        set_aside(folder, "gone.mp4", REASON)

    assert list(folder.rejected.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_moved_aside(
    open_inbox: Callable[..., Any], video: Path
) -> None:
    inbox = open_inbox()
    Path(shutil.copy(video, inbox.folder() / "a.mp4")).chmod(0)

    inbox.tick()

    note = inbox.folder() / "rejected" / "a.mp4.reason.txt"
    assert "may not read" in note.read_text()


def test_a_file_that_breaks_taking_in_waits_and_the_others_are_run(
    inbox: Any, videos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it is: a library's error that nobody foresaw."""
    probe = intake.probe_apart

    def probe_or_break(path: Path, name: str) -> dict[str, Any]:
        if name == "odd.mp4":
            raise ZeroDivisionError
        return probe(path, name)

    monkeypatch.setattr(intake, "probe_apart", probe_or_break)
    shutil.copy(videos[0], inbox.folder() / "odd.mp4")
    shutil.copy(videos[1], inbox.folder() / "good.mp4")

    [request] = inbox.tick()

    assert request.run_config["ops"]["probe"]["config"]["filename"] == "good.mp4"
    inbox.tick()
    assert "odd.mp4 waits: taking it in failed (ZeroDivisionError)" in inbox.message


def test_a_store_that_takes_nothing_is_no_fault_of_the_file(
    inbox: Any, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the folder is another user's; a test that is root may write everywhere."""

    def refuse(*_arguments: Any) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "media")

    file = Path(shutil.copy(video, inbox.folder() / "a.mp4"))
    with monkeypatch.context() as patch:
        patch.setattr(intake, "write_cached_file", refuse)
        assert inbox.tick() == []
        inbox.tick()
        assert "a.mp4 waits: [Errno 13]" in inbox.message

    assert file.exists()
    assert len(inbox.tick()) == 1
