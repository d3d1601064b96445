"""What is known of a file holds for as long as the file stays as it is."""

from pathlib import Path

import pytest

from contracts.cached_file import (
    CachedFile,
    is_outdated,
    read_cached_file,
    record_of,
    write_cached_file,
)
from contracts.home import Home


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def known(home: Home, tmp_path: Path) -> CachedFile:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"video")
    known = CachedFile(path, "a" * 64, {"duration_seconds": 1.5})
    write_cached_file(record_of(home, path), known)
    return known


def test_a_file_that_stayed_is_known(home: Home, known: CachedFile) -> None:
    record = record_of(home, known.path)

    assert read_cached_file(record) == known
    assert not is_outdated(home, record)


def test_a_file_that_changed_is_not(home: Home, known: CachedFile) -> None:
    before = record_of(home, known.path)
    known.path.write_bytes(b"another video")

    assert read_cached_file(record_of(home, known.path)) is None
    assert is_outdated(home, before)


def test_a_record_of_a_file_that_is_gone_is_outdated(home: Home, known: CachedFile) -> None:
    record = record_of(home, known.path)
    known.path.unlink()

    assert is_outdated(home, record)
