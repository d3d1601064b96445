"""A backup is whole or none, and what comes back from it is what was there."""

import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text
from sqlalchemy.pool import NullPool

from api.auth.keys import create_key, list_keys
from api.auth.roles import Role
from api.backup import contents, create
from api.backup.create import create_backup
from api.backup.errors import BackupError
from api.backup.restore import restore_backup
from api.database import open_database
from api.stack.lock import RunningStack, hold_home
from api.stack.ports import free_port
from contracts.database import parse_url
from contracts.home import Home
from tests.postgresql import BINARIES, Databases

MEDIA = "ab" + 62 * "0"
RUN = "0b0f8a44-5a8e-4a4e-8a4e-0b0f8a445a8e"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """With a key, a medium, a job's results, and what no backup needs."""
    home = Home(tmp_path / "home")
    _add_key(url_of(home))
    _write(home.media(MEDIA), "the video")
    _write(home.results(RUN) / "speech_activity" / "video.rttm", "SPEAKER")
    _write(home.worker_log(RUN), "a line")
    _write(home.partial(RUN) / "face_detection" / "half", "half")
    _write(home.logs / "api.log", "a line")
    _write(home.run / "leases" / RUN, "")
    return home


def url_of(home: Home) -> URL:
    """The SQLite database in a home."""
    return parse_url(f"sqlite:///{home.database}")


def _add_key(url: URL) -> None:
    database = open_database(url.render_as_string(hide_password=False))
    create_key(database, role=Role.READER, name="alice", expires_at=None)
    database.close()


def _key_names(url: URL) -> list[str]:
    database = open_database(url.render_as_string(hide_password=False))
    names = [record.name for record in list_keys(database)]
    database.close()
    return names


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def _files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_what_comes_back_is_what_a_home_keeps(home: Home, tmp_path: Path) -> None:
    create_backup(home, url_of(home), tmp_path / "backup")
    again = Home(tmp_path / "again")
    restore_backup(tmp_path / "backup", again, url_of(again))

    assert _files(again.root) == {
        *("framegate.db", f"media/ab/{MEDIA}", f"jobs/{RUN}/worker.log"),
        f"jobs/{RUN}/results/speech_activity/video.rttm",
    }
    assert again.media(MEDIA).read_text() == "the video"
    assert _key_names(url_of(again)) == ["alice"]


def test_records_are_copied_before_what_they_speak_of(tmp_path: Path) -> None:
    for name in ("history/runs/run.db", "history/runs.db", "schedules/schedules.db"):
        _write(tmp_path / "dagster" / name, "")
    _write(tmp_path / "framegate.db", "")

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
    assert "framegate.db-wal" not in _files(tmp_path / "backup")


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

    def refuse_home(source: Path, place: Path) -> None:
        if source.is_relative_to(home.root):
            raise OSError(18, "Invalid cross-device link", str(source))
        link(source, place)

    monkeypatch.setattr(os, "link", refuse_home)
    first, second = (Home(tmp_path / name) for name in ("first", "second"))
    create_backup(home, url_of(home), first.root)
    replaced = Path("jobs", RUN, "results", "speech_activity", "video.rttm")
    (home.root / replaced).unlink()
    _write(home.root / replaced, "speaker")  # as long as before
    create_backup(home, url_of(home), second.root, previous=first.root)

    assert second.media(MEDIA).samefile(first.media(MEDIA))
    assert not second.media(MEDIA).samefile(home.media(MEDIA))
    assert (second.root / replaced).read_text() == "speaker"


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
    assert _files(again.root) == set()


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
        hold_home(home.run, RunningStack(1, "", "")),
        pytest.raises(BackupError, match="Framegate runs"),
    ):
        restore_backup(tmp_path / "backup", home, url_of(home))


def test_a_restore_that_was_cut_short_can_be_repeated(home: Home, tmp_path: Path) -> None:
    create_backup(home, url_of(home), tmp_path / "backup")
    again = Home(tmp_path / "again")
    _write(again.root / "restoring" / "framegate.db", "half of")
    restore_backup(tmp_path / "backup", again, url_of(again))

    assert _key_names(url_of(again)) == ["alice"]
    assert not (again.root / "restoring").exists()


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


@pytest.mark.postgres
def test_postgresql_comes_back_whole_or_not_at_all(
    home: Home, tmp_path: Path, postgres: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{BINARIES}{os.pathsep}{os.environ['PATH']}")
    again = Home(tmp_path / "again")
    home.database.unlink()
    with postgres.fresh() as first, postgres.fresh() as second:
        _add_key(parse_url(first))
        create_backup(home, parse_url(first), tmp_path / "backup")

        with pytest.raises(BackupError, match="already exists"):
            restore_backup(tmp_path / "backup", again, parse_url(first))
        assert _files(again.root) == set()
        restore_backup(tmp_path / "backup", again, parse_url(second))
        assert _key_names(parse_url(second)) == ["alice"]
    assert again.media(MEDIA).read_text() == "the video"


@pytest.fixture
def reporter(postgres: Databases) -> Iterator[str]:
    """A role on the server, which reads what others keep there."""
    name = f"reporter_{secrets.token_hex(4)}"
    postgres.execute(f"CREATE ROLE {name}")
    yield name
    postgres.execute(f"DROP ROLE IF EXISTS {name}")


@pytest.mark.postgres
def test_rights_that_others_were_given_are_not_restored(
    home: Home,
    tmp_path: Path,
    postgres: Databases,
    reporter: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a new server there may be no such role."""
    monkeypatch.setenv("PATH", f"{BINARIES}{os.pathsep}{os.environ['PATH']}")
    again = Home(tmp_path / "again")
    home.database.unlink()
    with postgres.fresh() as first, postgres.fresh() as second:
        _add_key(parse_url(first))
        engine = create_engine(parse_url(first), poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(f"GRANT USAGE ON SCHEMA framegate TO {reporter}"))
        create_backup(home, parse_url(first), tmp_path / "backup")
        with engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {reporter}"))
        postgres.execute(f"DROP ROLE {reporter}")
        restore_backup(tmp_path / "backup", again, parse_url(second))

        assert _key_names(parse_url(second)) == ["alice"]


@pytest.mark.postgres
def test_a_dump_reaches_the_server_as_the_stack_does(
    home: Home, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the URL says: several hosts, of which the first is away, and which one is meant."""
    monkeypatch.setenv("PATH", f"{BINARIES}{os.pathsep}{os.environ['PATH']}")
    home.database.unlink()
    _add_key(parse_url(database_url))
    url = parse_url(database_url)
    hosts = [f"127.0.0.1:{free_port()}", f"{url.host}:{url.port}"]
    several = url.set(host=None, port=None).update_query_dict({"host": hosts})
    writable = several.update_query_dict({"target_session_attrs": "read-write"})
    standby = several.update_query_dict({"target_session_attrs": "read-only"})

    create_backup(home, writable, tmp_path / "backup")
    with pytest.raises(BackupError, match="read-only"):
        create_backup(home, standby, tmp_path / "none")


@pytest.mark.postgres
def test_a_backup_goes_back_into_the_kind_of_database_it_came_from(
    home: Home, tmp_path: Path, database_url: str
) -> None:
    create_backup(home, url_of(home), tmp_path / "backup")

    with pytest.raises(BackupError, match="sqlite"):
        restore_backup(tmp_path / "backup", Home(tmp_path / "again"), parse_url(database_url))


def test_a_missing_program_of_postgresql_is_named(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(BackupError, match="pg_dump is not installed"):
        create_backup(home, parse_url("postgresql://localhost/framegate"), tmp_path / "backup")
