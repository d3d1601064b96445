"""Linked media whose other name was overwritten leaves the store, and nothing else does."""

import hashlib
import os
from pathlib import Path

import pytest

from contracts import linked_media
from contracts.home import Home
from contracts.linked_media import drop_overwritten_media, link_media


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def _link(home: Home, path: Path) -> str:
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    file = os.open(path, os.O_RDONLY)
    try:
        assert link_media(home, sha256, file, {"name": path.name})
    finally:
        os.close(file)
    return sha256


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "video.mp4"
    path.write_bytes(b"one")
    return path


def test_what_was_overwritten_is_dropped(home: Home, video: Path) -> None:
    sha256 = _link(home, video)
    video.write_bytes(b"other")

    drop_overwritten_media(home, sha256)

    assert not home.media(sha256).exists()
    assert not home.media_facts(sha256).exists()
    assert video.read_bytes() == b"other"


def test_what_another_process_has_linked_anew_meanwhile_stays(
    home: Home, video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While this one reads the overwritten file, the other one drops it and finds a good one."""
    sha256 = _link(home, video)
    video.write_bytes(b"other")
    good = video.with_name("good.mp4")
    good.write_bytes(b"one")
    read = linked_media.sha256_of

    def read_slowly(path: Path) -> str:
        found = read(path)
        home.media(sha256).unlink()
        home.media_facts(sha256).unlink()
        _link(home, good)
        return found

    monkeypatch.setattr(linked_media, "sha256_of", read_slowly)

    drop_overwritten_media(home, sha256)

    assert home.media(sha256).samefile(good)
    assert home.media_facts(sha256).exists()
