"""What comes back from a backup is what was there, or nothing at all."""

import json
from pathlib import Path

import pytest

from api.backup.create import create_backup
from api.backup.errors import BackupError
from api.backup.restore import restore_backup
from api.stack.lock import RunningStack, hold_home
from contracts.home import Home
from tests.api.backup.homes import MEDIA, RUN, files, key_names, url_of, write


def test_what_comes_back_is_what_a_home_keeps(home: Home, tmp_path: Path) -> None:
    create_backup(home, url_of(home), tmp_path / "backup")
    again = Home(tmp_path / "again")
    restore_backup(tmp_path / "backup", again, url_of(again))

    assert files(again.root) == {
        *("framegate.db", f"media/ab/{MEDIA}", f"jobs/{RUN}/worker.log"),
        f"jobs/{RUN}/results/speech_activity/video.rttm",
    }
    assert again.media(MEDIA).read_text() == "the video"
    assert key_names(url_of(again)) == ["alice"]


def test_a_backup_that_was_cut_short_is_none(home: Home, tmp_path: Path) -> None:
    create_backup(home, url_of(home), tmp_path / "backup")
    (tmp_path / "backup" / "backup.json").unlink()

    with pytest.raises(BackupError, match="cut short"):
        restore_backup(tmp_path / "backup", Home(tmp_path / "again"), url_of(home))


@pytest.mark.parametrize("damage", ["missing", "changed"])
def test_a_damaged_backup_restores_nothing(home: Home, tmp_path: Path, damage: str) -> None:
    create_backup(home, url_of(home), tmp_path / "backup")
    log = Home(tmp_path / "backup").worker_log(RUN)
    log.unlink()
    if damage == "changed":
        log.write_text("b line")
    again = Home(tmp_path / "again")

    with pytest.raises(BackupError, match=r"worker\.log"):
        restore_backup(tmp_path / "backup", again, url_of(again))
    assert files(again.root) == set()


@pytest.mark.parametrize("name", ["../outside", "/etc/outside"])
def test_a_backup_reaches_nothing_outside_the_home(home: Home, tmp_path: Path, name: str) -> None:
    create_backup(home, url_of(home), tmp_path / "backup")
    manifest = tmp_path / "backup" / "backup.json"
    facts = json.loads(manifest.read_text())
    facts["files"][name] = {"size": 0, "sha256": ""}
    manifest.write_text(json.dumps(facts))

    with pytest.raises(BackupError, match="outside"):
        restore_backup(tmp_path / "backup", Home(tmp_path / "again"), url_of(home))


def test_a_home_in_use_is_never_overwritten(home: Home, tmp_path: Path) -> None:
    create_backup(home, url_of(home), tmp_path / "backup")

    with pytest.raises(BackupError, match="not empty"):
        restore_backup(tmp_path / "backup", home, url_of(home))
    with (
        hold_home(home.run, RunningStack(1, "")),
        pytest.raises(BackupError, match="Framegate runs"),
    ):
        restore_backup(tmp_path / "backup", home, url_of(home))


def test_a_restore_that_was_cut_short_can_be_repeated(home: Home, tmp_path: Path) -> None:
    create_backup(home, url_of(home), tmp_path / "backup")
    again = Home(tmp_path / "again")
    write(again.root / "restoring" / "framegate.db", "half of")
    restore_backup(tmp_path / "backup", again, url_of(again))

    assert key_names(url_of(again)) == ["alice"]
    assert not (again.root / "restoring").exists()
