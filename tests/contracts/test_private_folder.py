"""A home is nobody else's business."""

import stat
from pathlib import Path

import pytest

from contracts.private_folder import make_private


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.stat().st_mode)


def test_a_new_folder_is_private(tmp_path: Path) -> None:
    make_private(tmp_path / "outer" / "home")

    assert mode(tmp_path / "outer" / "home") == 0o700


@pytest.mark.parametrize("before", [0o755, 0o777, 0o750, 0o700, 0o500])
def test_a_folder_that_is_there_becomes_private(tmp_path: Path, before: int) -> None:
    tmp_path.chmod(before)
    make_private(tmp_path)

    assert mode(tmp_path) == before & 0o700
