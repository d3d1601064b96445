"""Tables of every age become those that the code knows, with what was in them."""

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import column, insert, table
from sqlalchemy.schema import CreateSchema

from api.auth.keys import list_keys
from api.database import migrations
from api.database.database import Database, Table, open_current_database
from api.errors import DatabaseUnavailableError
from contracts.database import SCHEMA

REVISIONS = [
    script.revision for script in ScriptDirectory.from_config(migrations._config()).walk_revisions()
]
#: A key in the columns that the first revision had.
KEY = {
    "id": "1",
    "name": "alice",
    "role": "reader",
    "secret_hash": "2",
    "created_at": datetime(2026, 1, 1),  # noqa: DTZ001 - times are UTC without a zone
}
KEYS = table("api_keys", *(column(name) for name in KEY))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty one."""
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'framegate.db'}")
    else:
        database = Database(request.getfixturevalue("database_url"))
    yield database
    database.close()


def _make(database: Database, revision: str) -> None:
    """Its tables as they were, with a key."""
    with database._engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(CreateSchema(SCHEMA))
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.execute(insert(KEYS).values(KEY))


@pytest.mark.parametrize("revision", REVISIONS)
def test_tables_of_every_age_keep_what_is_in_them(database: Database, revision: str) -> None:
    _make(database, revision)
    database.migrate()

    assert [key.name for key in list_keys(database)] == ["alice"]
    assert database.schema_version() == migrations.newest()


def test_who_looks_after_keys_leaves_older_tables_to_the_stack_that_uses_them(
    database: Database,
) -> None:
    """After `git pull` the stack that runs is yet of the older code."""
    _make(database, REVISIONS[-1])
    with pytest.raises(DatabaseUnavailableError, match=REVISIONS[-1]) as caught:
        open_current_database(_address(database))

    assert "framegate db migrate" in str(caught.value.hint)
    assert database.schema_version() == REVISIONS[-1]


def test_keys_can_be_made_before_there_is_a_database(database: Database) -> None:
    for _ in range(2):
        with closing(open_current_database(_address(database))) as opened:
            assert list_keys(opened) == []


def _address(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


def test_the_newest_tables_are_those_that_the_code_declares(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'framegate.db'}")
    database.migrate()
    with database._engine.begin() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert list(compare_metadata(context, Table.metadata)) == []
