"""What an exception out of a pipeline becomes."""

import errno
import inspect
import json
import os
from pathlib import Path

import pytest

from orchestration.annotation.failure import failure_of
from pipelines.errors import MediaError


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), "STORAGE_FULL"),
        (OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)), "STORAGE_FULL"),
        (OSError(errno.EROFS, os.strerror(errno.EROFS), "/results"), "STORAGE_READ_ONLY"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/x"), "PERMISSION_DENIED"),
        (MemoryError(), "HOST_OUT_OF_MEMORY"),
        (MediaError("No.", "Do."), "INVALID_MEDIA"),
    ],
)
def test_what_a_person_can_act_on_has_a_code_and_a_hint(error: Exception, code: str) -> None:
    failure = failure_of(error)

    assert failure.code == code
    assert failure.hint


def test_everything_else_is_the_pipelines_own_failure() -> None:
    failure = failure_of(FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), "/x"))

    assert failure.code == "PIPELINE_FAILED"
    assert "/x" in failure.message


def test_an_authors_mistake_is_told_with_the_line_of_the_authors_own_code() -> None:
    """The innermost of the package's frames: not the library's that it calls."""
    line = 0
    try:
        line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr] # there is one
        json.loads("{")
    except ValueError as error:
        failure = failure_of(error, __name__)

    assert f"{Path(__file__).name}, line {line}" in failure.message


class _MuteError(Exception):
    def __str__(self) -> str:
        raise SystemExit


def test_an_exception_whose_text_cannot_be_read_is_told_all_the_same() -> None:
    assert failure_of(_MuteError()).message.startswith("_MuteError: its text cannot be read")


def test_a_text_is_no_longer_than_anybody_reads() -> None:
    assert len(failure_of(ValueError("x" * 10**7)).message) < 5000
