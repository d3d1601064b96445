"""What an exception out of a pipeline becomes."""

import errno
import os

import pytest

from orchestration.failure import failure_of
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
