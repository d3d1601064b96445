import sqlite3

import pytest
from sqlalchemy.exc import IntegrityError, OperationalError

from orchestration.launcher.retry import is_transient, retry


def test_what_cannot_be_said_is_said_again_with_longer_and_longer_pauses(
    caplog: pytest.LogCaptureFixture,
) -> None:
    said: list[str] = []
    pauses: list[float] = []

    def say() -> None:
        said.append("it")
        if len(said) < 9:
            raise ConnectionError("the database is away")

    retry(say, pauses.append)

    assert len(said) == 9
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert "the database is away" in caplog.text


def test_what_will_not_come_right_is_not_tried_again() -> None:
    tries: list[int] = []

    def say() -> None:
        tries.append(1)
        raise ValueError("Extra data")

    with pytest.raises(ValueError, match="Extra data"):
        retry(say, lambda _seconds: None)
    assert tries == [1]


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (OSError(28, "No space left on device"), True),
        (MemoryError(), True),
        (OperationalError("UPDATE", None, sqlite3.OperationalError("database is locked")), True),
        (OperationalError("UPDATE", None, sqlite3.OperationalError("no such table: runs")), False),
        (IntegrityError("INSERT", None, sqlite3.IntegrityError("UNIQUE")), False),
        (UnicodeEncodeError("utf-8", "\udce9", 0, 1, "surrogates not allowed"), False),
        (KeyError("run"), False),
    ],
)
def test_only_the_database_and_the_machine_come_right(error: Exception, passes: bool) -> None:  # noqa: FBT001 - a parameter of the test
    assert is_transient(error) is passes
