from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestration.annotation.under_way import UnderWay, tell_under_way
from orchestration.launcher.time_limit import Clock
from pipelines.registry.spec import TimeLimit

FACES = UnderWay("faces", media_seconds=20.0)


@pytest.fixture
def time() -> SimpleNamespace:
    return SimpleNamespace(now=100.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "under_way.json"


@pytest.fixture
def clock(path: Path, time: SimpleNamespace) -> Clock:
    limits = {"faces": TimeLimit(10.0, factor=3.0), "speech": TimeLimit(5.0, factor=0.0)}
    return Clock(path, limits, grace_seconds=4.0, now=lambda: float(time.now))


def test_the_limit_grows_with_the_media(clock: Clock, path: Path, time: SimpleNamespace) -> None:
    with tell_under_way(path, FACES):
        assert clock.look() is None
        time.now += 69.0
        assert clock.look() is None
        time.now += 1.0
        breach = clock.look()

    assert breach is not None
    assert (breach.pipeline, breach.grace_seconds) == ("faces", 4.0)
    assert "70 s for media of 20 s" in breach.failure.message


def test_each_pipeline_has_its_own_time(clock: Clock, path: Path, time: SimpleNamespace) -> None:
    with tell_under_way(path, FACES):
        clock.look()
    time.now += 60.0
    with tell_under_way(path, UnderWay("speech", 20.0)):
        assert clock.look() is None
        time.now += 4.0
        assert clock.look() is None


def test_between_pipelines_nothing_is_counted(
    clock: Clock, path: Path, time: SimpleNamespace
) -> None:
    with tell_under_way(path, FACES):
        clock.look()
    time.now += 1000.0

    assert clock.look() is None


@pytest.mark.parametrize("content", ["", "[1]", '{"pipeline": "faces"}', "{", '{"pipeline": "x"}'])
def test_a_file_that_somebody_meddled_with_stops_nothing(
    clock: Clock, path: Path, content: str
) -> None:
    path.write_text(content)

    assert clock.look() is None


def test_it_is_looked_at_when_the_time_is_over(
    clock: Clock, path: Path, time: SimpleNamespace
) -> None:
    with tell_under_way(path, FACES):
        clock.look()
        time.now += 69.75

        assert clock.pause() == pytest.approx(0.25)
