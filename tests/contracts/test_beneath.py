"""Files are opened beneath a folder alone, whatever their names and links say."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from contracts.beneath import is_beneath, open_beneath
from contracts.checked_file import check_beneath


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """With files, links of every kind, and things that are no files."""
    (tmp_path / "secret").write_text("secret")
    root = tmp_path / "root"
    (root / "inner").mkdir(parents=True)
    (root / "file").write_text("content")
    (root / "inner" / "file").write_text("content")
    (root / "link").symlink_to(tmp_path / "secret")
    (root / "link-inside").symlink_to(root / "file")
    (root / "folder-link").symlink_to(tmp_path)
    (root / "loop").symlink_to(root / "loop")
    os.mkfifo(root / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(root / "socket"))
    return root


@pytest.mark.parametrize("path", ["file", "inner/file", "./file"])
def test_a_regular_file_is_opened(root: Path, path: str) -> None:
    with os.fdopen(open_beneath(root, path)) as file:
        assert file.read() == "content"


@pytest.mark.parametrize(
    "path",
    [
        *("../secret", "inner/../../secret", "folder-link/secret", "/etc/hostname", ""),
        *("link", "link-inside", "loop", "pipe", "socket", "inner", "missing", "a\0b"),
    ],
)
def test_nothing_else_is_opened(root: Path, path: str) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))

    assert not is_beneath(root, path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_folder_itself_may_be_a_link(root: Path, tmp_path: Path) -> None:
    (tmp_path / "other").symlink_to(root)

    assert is_beneath(tmp_path / "other", "file")


def replace(file: Path) -> None:
    file.with_name("new").write_text("CONTENT")
    file.with_name("new").replace(file)


def overwrite(file: Path) -> None:
    file.write_text("CONTENT")
    os.utime(file, ns=(1, 1))


def become_a_link(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.parents[1] / "secret")


def become_a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


@pytest.mark.parametrize("change", [replace, overwrite, become_a_link, become_a_pipe, os.unlink])
def test_a_checked_file_is_not_opened_once_it_is_another(
    root: Path, change: Callable[[Path], None]
) -> None:
    checked = check_beneath(root, "file")
    change(root / "file")

    with pytest.raises(OSError, match=r"replaced|links|regular|No such file"):
        checked.open()


def test_a_checked_file_that_stayed_the_same_is_opened(root: Path) -> None:
    with check_beneath(root, "file").open() as file:
        assert file.read() == b"content"
