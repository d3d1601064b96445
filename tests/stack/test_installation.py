"""A home starts with its own database alone."""

import errno
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from api.database.database import Database, open_database
from api.stack.errors import StackError
from api.stack.installation import require_own_database
from contracts.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def database(home: Home) -> Iterator[Database]:
    with closing(open_database(f"sqlite:///{home.database}")) as database:
        yield database


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Database]:
    with closing(open_database(f"sqlite:///{tmp_path}/other.db")) as database:
        yield database


def test_the_same_database_is_right_each_time(home: Home, database: Database) -> None:
    require_own_database(home, database)
    require_own_database(home, database)


def test_an_empty_database_is_refused_by_a_home_with_a_history(
    home: Home, database: Database, other: Database
) -> None:
    require_own_database(home, database)
    with pytest.raises(StackError, match=r"not in sqlite.*other\.db") as caught:
        require_own_database(home, other)

    assert "FRAMEGATE_DATABASE_URL" in (caught.value.hint or "")


def test_another_homes_database_is_refused(
    tmp_path: Path, home: Home, database: Database, other: Database
) -> None:
    require_own_database(home, database)
    (tmp_path / "theirs").mkdir()
    require_own_database(Home(tmp_path / "theirs"), other)
    with pytest.raises(StackError):
        require_own_database(home, other)


def test_a_home_without_an_id_takes_the_databases(
    tmp_path: Path, home: Home, database: Database
) -> None:
    """As homes of earlier versions do, and those that were restored."""
    require_own_database(home, database)
    (tmp_path / "moved").mkdir()
    require_own_database(Home(tmp_path / "moved"), database)

    assert Home(tmp_path / "moved").installation.read_text() == home.installation.read_text()


def test_a_file_that_was_cut_off_is_written_again(
    home: Home, database: Database, other: Database
) -> None:
    """As a full disk or a crash leaves it; without an id nothing would be refused any more."""
    require_own_database(home, database)
    known = home.installation.read_text()
    home.installation.write_text("")
    require_own_database(home, database)

    assert home.installation.read_text() == known
    with pytest.raises(StackError):
        require_own_database(home, other)


def test_an_id_that_cannot_be_written_leaves_no_half_of_it(
    home: Home, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk cannot be had here: the file is opened, and nothing gets into it."""

    def write_nothing(path: Path, _text: str) -> int:
        path.touch()
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    with monkeypatch.context() as full:
        full.setattr(Path, "write_text", write_nothing)
        with pytest.raises(OSError, match="No space"):
            require_own_database(home, database)

    assert not home.installation.exists()
    require_own_database(home, database)
    assert home.installation.read_text().strip()
