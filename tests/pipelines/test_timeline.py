"""Times run on where a file's clock jumps, for picture and sound alike, and nothing is lost."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipelines.damage import Damage
from pipelines.frames import frames
from pipelines.media import probe
from pipelines.snapshots import snapshots
from pipelines.timeline import believed
from tests.pipelines.hearing import heard

Join = Callable[..., Path]
ONCE = "The file's clock jumps once, as where recordings were joined: "


def greys(first: int, count: int) -> list[np.ndarray]:
    """Frames that tell their number by their brightness, four steps apart."""
    return [np.full((48, 64, 3), 4 * number, np.uint8) for number in range(first, first + count)]


def number(image: np.ndarray) -> int:
    return round(image.mean() / 4)


@pytest.fixture
def join(make_video: Callable[..., Path], tmp_path: Path) -> Join:
    """One file out of the bytes of several: pieces are (frames, seconds of the first one)."""

    def join(*pieces: tuple[int, float], tone: bool = False, kind: str = "ts") -> Path:
        content, first = b"", 0
        for count, start in pieces:
            times = [start + place / 25 for place in range(count)]
            sound = 0.5 * np.sin(np.arange(count * 640, dtype=np.float32) / 4) if tone else None
            part = make_video(greys(first, count), times=times, sound=sound, name=f"part.{kind}")
            content, first = content + part.read_bytes(), first + count
        path = tmp_path / f"joined.{kind}"
        path.write_bytes(content)
        return path

    return join


@pytest.mark.parametrize("start", [0.0, 5000.0], ids=["back", "ahead"])
def test_joined_recordings_run_on(join: Join, start: float) -> None:
    damage = Damage()
    got = list(frames(probe(join((25, 0.0), (25, start))), damage=damage))
    assert [number(frame.image) for frame in got] == list(range(50))
    assert np.diff([frame.time for frame in got]) == pytest.approx(np.full(49, 0.04), abs=0.002)
    assert [note.startswith(ONCE) for note in damage.notes] == [True]


def test_all_parts_of_a_joined_recording_are_looked_at_and_counted(join: Join) -> None:
    media = probe(join(*[(15, 0.0)] * 4))
    assert len(list(frames(media, rate=5))) == 12
    assert media.duration_seconds == pytest.approx(2.4, abs=0.1)
    assert media.video.frame_count == pytest.approx(60, abs=1)


def test_picture_and_sound_of_joined_recordings_stay_together(join: Join) -> None:
    """Each part's sound is 0.1 s shorter than its picture; no part moves it away from there."""
    media = probe(join(*[(15, 0.0)] * 4, tone=True))
    times = [frame.time for frame in frames(media)]
    sound = heard(media)
    assert len(times) == 60
    assert max(later - earlier for earlier, later in pairwise(times)) < 0.15
    assert len(sound) / 16_000 == pytest.approx(times[-1] + 0.04, abs=0.15)
    assert media.duration_seconds == pytest.approx(times[-1] + 0.04, abs=0.15)


def test_a_single_time_far_ahead_is_no_jump(join: Join) -> None:
    damage = Damage()
    got = list(frames(probe(join((10, 0.0), (1, 5000.0), (10, 0.44))), damage=damage))
    assert [number(frame.image) for frame in got] == list(range(21))
    assert np.diff([frame.time for frame in got]) == pytest.approx(np.full(20, 0.04), abs=0.045)
    assert got[-1].time == pytest.approx(0.8, abs=0.05)
    assert damage.notes == []


def test_pictures_out_of_the_middle_are_those_of_the_times_that_run_on(join: Join) -> None:
    media = probe(join((25, 0.0), (25, 0.0)))
    pictures = snapshots(media, [0.4, 1.4, 1.8], (64, 48))
    assert [number(picture) for picture in pictures] == [10, 35, 45]


@pytest.mark.parametrize(
    ("times", "kept"),
    [
        ([0, 1, 2, 3], [0, 1, 2, 3]),
        ([0, 9, 2, 3], [0, None, 2, 3]),
        ([0, 5, 2, 6], [0, None, 2, 6]),
        ([4, 5, 1, 6], [4, 5, 1, 6]),
        ([0, None, 2], [0, None, 2]),
        ([], []),
    ],
)
def test_a_time_later_than_the_next_is_not_believed(
    times: list[float | None], kept: list[float | None]
) -> None:
    assert [time for time, _ in believed((time, "") for time in times)] == kept
