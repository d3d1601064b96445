"""Pictures are shown when a player shows them: held, at any rate, and without a container."""

from pathlib import Path

import pytest

from pipelines.damage import Damage
from pipelines.frames import end_of, frames
from pipelines.media import probe
from pipelines.snapshots import snapshots
from tests.pipelines.truth import base
from tests.pipelines.truth.reference import times_of
from tests.pipelines.truth.wrapping import Wrapping, wrap

FAST = {"deadline": "realtime", "cpu-used": "8"}
NO_B_FRAMES = {"bf": "0", "preset": "ultrafast"}
#: Twelve pictures that are shown for a second or two each, and the last one for seven.
HELD = [0.0, 1.0, 3.0, 4.0, 4.5, 6.0, 8.0, 9.0, 11.0, 12.0, 13.0, 15.0]
LAST_SECONDS = 7.0

HOLDING = [
    Wrapping("held.mp4", options=NO_B_FRAMES, clock=1000),
    Wrapping("held.mov", options=NO_B_FRAMES, clock=600),
    Wrapping("held.mkv", options=NO_B_FRAMES, clock=1000),
    Wrapping("held.webm", codec="libvpx", options=FAST, clock=1000),
    Wrapping("held.gif", codec="gif", pixels="rgb8", clock=100),
    Wrapping("held.3gp", options=NO_B_FRAMES, clock=1000),
]


@pytest.mark.parametrize("form", HOLDING, ids=lambda form: form.name)
def test_held_pictures_stay_until_the_next_one_and_the_last_until_its_end(
    tmp_path: Path, form: Wrapping
) -> None:
    wrapping = Wrapping(
        form.name,
        codec=form.codec,
        pixels=form.pixels,
        clock=form.clock,
        options=form.options,
        times=HELD,
        last_seconds=LAST_SECONDS,
    )
    media = probe(wrap(tmp_path, wrapping, pictures=base.pictures()[: len(HELD)]))
    damage = Damage()
    shown = list(frames(media, damage=damage))
    assert [frame.time for frame in shown] == pytest.approx(HELD, abs=0.02)
    assert end_of(shown[-1], media, damage) == pytest.approx(22.0, abs=0.05)
    assert media.duration_seconds == pytest.approx(22.0, abs=0.05)
    assert damage.notes == []
    times = [0.5, 2.9, 3.0, 10.9, 14.9, 21.9]
    pictures = snapshots(media, times, (base.WIDTH, base.HEIGHT))
    assert [base.read_number(picture) for picture in pictures] == [0, 1, 2, 7, 10, 11]


RAW = [
    Wrapping("raw.h264", format="h264"),
    Wrapping(
        "raw.hevc",
        format="hevc",
        codec="libx265",
        options={"x265-params": "log-level=none:pools=1", "preset": "ultrafast"},
    ),
    Wrapping("raw.m2v", format="mpeg2video", codec="mpeg2video"),
]


@pytest.mark.parametrize("rate", [24, 30, 50])
@pytest.mark.parametrize("form", RAW, ids=lambda form: form.name)
def test_a_stream_without_a_container_runs_at_its_own_rate(
    tmp_path: Path, form: Wrapping, rate: int
) -> None:
    wrapping = Wrapping(
        form.name, format=form.format, codec=form.codec, options=form.options, rate=rate, clock=rate
    )
    media = probe(wrap(tmp_path, wrapping))
    shown = list(frames(media, max_side=160))
    assert [base.read_number(frame.image) for frame in shown] == list(range(base.PICTURES))
    two_frames = 2 / rate + 0.001
    assert [frame.time for frame in shown] == pytest.approx(wrapping.shown, abs=two_frames)
    assert media.video.frame_rate == pytest.approx(rate, rel=0.01)
    assert media.duration_seconds == pytest.approx(base.PICTURES / rate, abs=two_frames)


RATES = [10, 15, 24, 30, 48, 60]
SHAPES = [("clip.mp4", "libx264"), ("clip.mkv", "libx264"), ("clip.ts", "libx264")]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize(("name", "codec"), SHAPES)
def test_any_rate_is_kept_as_ffmpeg_keeps_it(
    tmp_path: Path, name: str, codec: str, rate: int
) -> None:
    wrapping = Wrapping(name, codec=codec, rate=rate, clock=rate, options={"preset": "ultrafast"})
    path = wrap(tmp_path, wrapping, pictures=base.pictures()[:40])
    shown = [frame.time for frame in frames(probe(path), max_side=64)]
    assert shown == pytest.approx(wrapping.shown[:40], abs=0.002)
    judged = times_of(path)
    assert shown == pytest.approx([time - judged[0] for time in judged], abs=0.002)


@pytest.mark.parametrize("start", [0.52, 20.0, 3600.0])
@pytest.mark.parametrize("name", ["late.mkv", "late.mov", "late.ts"])
def test_a_clock_that_starts_late_starts_at_nought(tmp_path: Path, name: str, start: float) -> None:
    times = [start + number / base.RATE for number in range(40)]
    path = wrap(tmp_path, Wrapping(name, times=times), pictures=base.pictures()[:40])
    found = {base.read_number(frame.image): frame.time for frame in frames(probe(path))}
    assert list(found.values()) == pytest.approx([time - start for time in times], abs=0.081)
