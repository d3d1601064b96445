"""API keys: a secret is shown once, stored as a hash, and stops working when it should."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import text

from api.auth import keys
from api.auth.keys import create_key, ensure_first_admin_key, find_key, list_keys, revoke_key
from api.auth.roles import Role
from api.database.database import Database, open_database
from api.errors import InvalidRequestError, NotFoundError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.db"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{file}")
    yield database
    database.close()


def test_a_secret_finds_its_key_and_no_other_does(database: Database) -> None:
    record, secret = create_key(database, role=Role.ANNOTATOR, name="alice")
    assert find_key(database, secret) == record
    assert find_key(database, secret[:-1]) is None
    assert find_key(database, "fg_" + "x" * 43) is None
    assert find_key(database, "' OR 1=1 --") is None


def test_a_secret_is_long_random_and_of_harmless_characters(database: Database) -> None:
    secrets = {create_key(database, role=Role.READER, name=f"key{n}")[1] for n in range(20)}
    assert len(secrets) == 20
    for secret in secrets:
        assert secret.startswith("fg_")
        assert len(secret) >= 35
        assert secret.replace("-", "").replace("_", "").isalnum()


def test_the_database_never_holds_a_secret(database: Database, file: Path) -> None:
    _record, secret = create_key(database, role=Role.ADMIN, name="root")
    database.close()
    stored = b"".join(path.read_bytes() for path in file.parent.iterdir())
    assert secret.encode() not in stored
    assert secret.removeprefix("fg_").encode() not in stored


def test_a_revoked_key_is_invalid_for_good(database: Database) -> None:
    record, secret = create_key(database, role=Role.READER, name="bob")
    revoked = revoke_key(database, record.id)
    assert revoked.revoked_at is not None
    assert revoke_key(database, record.id).revoked_at == revoked.revoked_at
    found = find_key(database, secret)
    assert found is not None
    assert not found.is_valid(datetime.now(UTC).replace(tzinfo=None))


def test_an_unknown_key_cannot_be_revoked(database: Database) -> None:
    with pytest.raises(NotFoundError):
        revoke_key(database, "nobody")


def test_a_key_is_valid_until_it_expires(database: Database) -> None:
    moment = datetime(2030, 1, 1, 12, tzinfo=UTC)
    record, _ = create_key(database, role=Role.READER, name="temp", expires_at=moment)
    expiry = moment.replace(tzinfo=None)
    assert record.expires_at == expiry
    assert record.is_valid(expiry - timedelta(seconds=1))
    assert not record.is_valid(expiry)


@pytest.mark.parametrize(
    "moment",
    [
        datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
        datetime(9999, 12, 31, 23, 59, tzinfo=timezone(timedelta(hours=-12))),
    ],
)
def test_an_expiry_outside_of_the_calendar_is_refused(database: Database, moment: datetime) -> None:
    with pytest.raises(InvalidRequestError):
        create_key(database, role=Role.READER, name="temp", expires_at=moment)


def test_two_valid_keys_cannot_share_a_name_because_the_name_owns_jobs(database: Database) -> None:
    record, _ = create_key(database, role=Role.ANNOTATOR, name="carol")
    with pytest.raises(InvalidRequestError, match="carol"):
        create_key(database, role=Role.ANNOTATOR, name="carol")
    revoke_key(database, record.id)
    renewed, _ = create_key(database, role=Role.ANNOTATOR, name="carol")
    assert [key.id for key in list_keys(database)] == [record.id, renewed.id]


@pytest.mark.parametrize("name", ["", " ", "a b", "-a", "a\n", "a" * 101, "ä", "a/b", "a\0"])
def test_a_name_that_could_do_harm_is_refused(database: Database, name: str) -> None:
    with pytest.raises(InvalidRequestError):
        create_key(database, role=Role.READER, name=name)


def test_the_first_admin_key_is_made_once(database: Database) -> None:
    secret = ensure_first_admin_key(database)
    assert secret is not None
    found = find_key(database, secret)
    assert found is not None
    assert found.role is Role.ADMIN
    assert ensure_first_admin_key(database) is None
    revoke_key(database, found.id)
    assert ensure_first_admin_key(database) is None


def test_processes_that_start_at_once_migrate_one_database_and_make_one_admin(file: Path) -> None:
    program = (
        "import sys; from api.database.database import open_database\n"
        "from api.auth.keys import ensure_first_admin_key\n"
        "database = open_database(sys.argv[1])\n"
        "print(ensure_first_admin_key(database) or '')\n"
        "database.close()"
    )
    command = [sys.executable, "-c", program, f"sqlite:///{file}"]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    printed = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sum(secret.startswith("fg_") for secret in printed) == 1


def test_the_tables_are_those_that_the_models_say(database: Database, file: Path) -> None:
    assert database.schema_version() == "0002"
    with sqlite3.connect(file) as connection:
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        assert {"api_keys", "idempotency_records", "alembic_version"} <= tables
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_two_who_ask_for_one_name_at_once_do_not_both_get_it(database_url: str) -> None:
    """On PostgreSQL, where two transactions write at once."""
    database = open_database(database_url)
    with ThreadPoolExecutor() as threads:
        with keys._adding(database) as session:
            keys._insert_key(session, role=Role.READER, name="alice", expires_at=None)
            second = threads.submit(create_key, database, role=Role.READER, name="alice")
            while not second.done() and not _waits_for_a_lock(database):
                time.sleep(0.01)
        with pytest.raises(InvalidRequestError, match="already"):
            second.result()
    assert [key.name for key in list_keys(database)] == ["alice"]
    database.close()


def _waits_for_a_lock(database: Database) -> bool:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    with database.read() as session:
        return bool(session.scalar(waiting))
