"""Media that is about to be used is never removed, however the two meet."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contracts.home import Home
from contracts.json_file import write_json
from contracts.stored_media import claim_media, last_used, locked_store, remove_media

SHA256 = "a" * 64
ROUNDS = 200


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def store(home: Home) -> Callable[[], None]:
    """Stores the media as an upload does."""

    def store() -> None:
        with locked_store(home):
            write_json(home.media_facts(SHA256), {"name": "clip.mp4"})
            home.media(SHA256).write_bytes(b"video")

    return store


def test_media_that_nobody_used_since_is_removed(home: Home, store: Callable[[], None]) -> None:
    store()

    assert remove_media(home, SHA256, unused_since=last_used(home, SHA256) + 1)
    assert not home.media(SHA256).exists()
    assert not home.media_facts(SHA256).exists()
    assert not claim_media(home, SHA256)


def test_claimed_media_is_not_removed(home: Home, store: Callable[[], None]) -> None:
    store()
    before = last_used(home, SHA256) + 0.001
    while last_used(home, SHA256) < before:
        assert claim_media(home, SHA256)

    assert not remove_media(home, SHA256, unused_since=before)
    assert home.media(SHA256).read_bytes() == b"video"


def test_a_claim_leaves_the_media_itself_alone(home: Home, store: Callable[[], None]) -> None:
    """It may be hard-linked to a file of somebody else's."""
    store()
    before = home.media(SHA256).stat()

    assert claim_media(home, SHA256)
    assert home.media(SHA256).stat().st_mtime_ns == before.st_mtime_ns


def test_a_submission_beside_a_sweep_always_has_its_media(
    home: Home, store: Callable[[], None]
) -> None:
    """The sweep finds no run of the media: the submission has only begun."""

    def submit() -> bool:
        if not claim_media(home, SHA256):
            store()
        return True

    outcomes = set()
    with ThreadPoolExecutor(2) as both:
        for _round in range(ROUNDS):
            store()
            sweep_began = last_used(home, SHA256) + 1e-6
            submission = both.submit(submit)
            removed = both.submit(remove_media, home, SHA256, unused_since=sweep_began)
            assert submission.result()
            outcomes.add(removed.result())
            assert home.media(SHA256).exists(), "an accepted submission lost its media"
            assert home.media_facts(SHA256).exists()
    assert outcomes == {True, False}
