"""A backup of a home whose keys and history are in PostgreSQL."""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from api.backup.create import create_backup
from api.backup.errors import BackupError
from api.backup.restore import restore_backup
from contracts.database import parse_url
from contracts.home import Home
from tests.api.backup.homes import MEDIA, add_key, files, key_names, url_of
from tests.ports import free_port
from tests.postgresql import BINARIES, Databases


@pytest.fixture
def reporter(postgres: Databases) -> Iterator[str]:
    """A role on the server, which reads what others keep there."""
    name = f"reporter_{secrets.token_hex(4)}"
    postgres.execute(f"CREATE ROLE {name}")
    yield name
    postgres.execute(f"DROP ROLE IF EXISTS {name}")


@pytest.mark.postgres
def test_postgresql_comes_back_whole_or_not_at_all(
    home: Home, tmp_path: Path, postgres: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{BINARIES}{os.pathsep}{os.environ['PATH']}")
    again = Home(tmp_path / "again")
    home.database.unlink()
    with postgres.fresh() as first, postgres.fresh() as second:
        add_key(parse_url(first))
        create_backup(home, parse_url(first), tmp_path / "backup")

        with pytest.raises(BackupError, match="already exists"):
            restore_backup(tmp_path / "backup", again, parse_url(first))
        assert files(again.root) == set()
        restore_backup(tmp_path / "backup", again, parse_url(second))
        assert key_names(parse_url(second)) == ["alice"]
    assert again.media(MEDIA).read_text() == "the video"


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
        add_key(parse_url(first))
        engine = create_engine(parse_url(first), poolclass=NullPool)
        with engine.begin() as connection:
            connection.execute(text(f"GRANT USAGE ON SCHEMA framegate TO {reporter}"))
        create_backup(home, parse_url(first), tmp_path / "backup")
        with engine.begin() as connection:
            connection.execute(text(f"DROP OWNED BY {reporter}"))
        postgres.execute(f"DROP ROLE {reporter}")
        restore_backup(tmp_path / "backup", again, parse_url(second))

        assert key_names(parse_url(second)) == ["alice"]


@pytest.mark.postgres
def test_a_dump_reaches_the_server_as_the_stack_does(
    home: Home, tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the URL says: several hosts, of which the first is away, and which one is meant."""
    monkeypatch.setenv("PATH", f"{BINARIES}{os.pathsep}{os.environ['PATH']}")
    home.database.unlink()
    add_key(parse_url(database_url))
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
