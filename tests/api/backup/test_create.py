"""A backup has all that a home keeps, each record with what it speaks of, or is none."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from api.backup import contents, create
from api.backup.create import create_backup
from api.backup.errors import BackupError
from contracts.database import parse_url
from contracts.home import Home
from tests.api.backup.homes import MEDIA, RUN, files, url_of, write


def test_records_are_copied_before_what_they_speak_of(tmp_path: Path) -> None:
    for name in ("history/runs/run.db", "history/runs.db", "schedules/schedules.db"):
        write(tmp_path / "dagster" / name, "")
    write(tmp_path / "framegate.db", "")

    assert [str(path) for path in contents.databases(tmp_path)] == [
        *("framegate.db", "dagster/schedules/schedules.db"),
        *("dagster/history/runs.db", "dagster/history/runs/run.db"),
    ]


def test_a_database_is_copied_with_what_its_log_still_holds(home: Home, tmp_path: Path) -> None:
    with closing(sqlite3.connect(home.database, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE written (what TEXT)")
        writer.execute("INSERT INTO written VALUES ('just now')")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO written VALUES ('not yet')")
        create_backup(home, url_of(home), tmp_path / "backup")

    with closing(sqlite3.connect(tmp_path / "backup" / "framegate.db")) as reader:
        assert reader.execute("SELECT what FROM written").fetchall() == [("just now",)]
    assert "framegate.db-wal" not in files(tmp_path / "backup")


def test_a_job_that_is_deleted_meanwhile_is_left_out(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its log had been listed, and is gone when its turn comes."""
    gone = Path("dagster/history/runs/gone.db")
    listed = [*contents.databases(home.root), gone]
    monkeypatch.setattr(create, "databases", lambda _root: iter(listed))
    manifest = create_backup(home, url_of(home), tmp_path / "backup")

    assert "framegate.db" in manifest.files
    assert str(gone) not in manifest.files
    assert not (tmp_path / "backup" / gone).exists()


def test_a_damaged_database_is_named(home: Home, tmp_path: Path) -> None:
    home.database.write_text("not a database, but long enough to be taken for one" * 9)
    with pytest.raises(BackupError, match=r"framegate\.db cannot be copied"):
        create_backup(home, url_of(home), tmp_path / "backup")


def test_what_is_no_regular_file_is_left_out(home: Home, tmp_path: Path) -> None:
    """Strangers fill the inbox: no link is followed, no pipe waited for."""
    secret = tmp_path / "secret"
    secret.write_text("secret")
    rejected = home.inbox / "speech_activity" / "rejected"
    rejected.mkdir(parents=True)
    (rejected / "video.mp4").write_text("a video")
    (rejected / "link.mp4").symlink_to(secret)
    (rejected / "folder").symlink_to(tmp_path)
    os.mkfifo(rejected / "pipe.mp4")
    manifest = create_backup(home, url_of(home), tmp_path / "backup")

    inbox = [name for name in manifest.files if name.startswith("inbox/")]
    assert inbox == ["inbox/speech_activity/rejected/video.mp4"]


def test_what_never_changes_is_linked_and_all_else_copied(home: Home, tmp_path: Path) -> None:
    create_backup(home, url_of(home), tmp_path / "backup")
    copy = Home(tmp_path / "backup")

    assert copy.media(MEDIA).samefile(home.media(MEDIA))
    assert not copy.worker_log(RUN).samefile(home.worker_log(RUN))


def test_on_another_disk_the_previous_backups_files_are_linked(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file system cannot be had here: links to the home are refused as there."""
    link = os.link

    def refuse_home(source: Path, place: Path, *, follow_symlinks: bool) -> None:
        if source.is_relative_to(home.root):
            raise OSError(18, "Invalid cross-device link", str(source))
        link(source, place, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "link", refuse_home)
    first, second = (Home(tmp_path / name) for name in ("first", "second"))
    create_backup(home, url_of(home), first.root)
    replaced = Path("jobs", RUN, "results", "speech_activity", "video.rttm")
    (home.root / replaced).unlink()
    write(home.root / replaced, "speaker")  # as long as before
    create_backup(home, url_of(home), second.root, previous=first.root)

    assert second.media(MEDIA).samefile(first.media(MEDIA))
    assert not second.media(MEDIA).samefile(home.media(MEDIA))
    assert (second.root / replaced).read_text() == "speaker"


@pytest.mark.parametrize(
    ("target", "reason"), [("home/backup", "in the home"), (".", "not empty"), ("", "not empty")]
)
def test_a_backup_has_a_folder_of_its_own(
    home: Home, tmp_path: Path, target: str, reason: str
) -> None:
    with pytest.raises(BackupError, match=reason):
        create_backup(home, url_of(home), tmp_path / target)


def test_keys_outside_the_home_are_not_forgotten_silently(home: Home, tmp_path: Path) -> None:
    elsewhere = parse_url(f"sqlite:///{tmp_path / 'elsewhere.db'}")
    with pytest.raises(BackupError, match="outside the home"):
        create_backup(home, elsewhere, tmp_path / "backup")
