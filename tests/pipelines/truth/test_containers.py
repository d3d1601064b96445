"""Each picture of the base clip is shown at its time, whatever it is wrapped in."""

from pathlib import Path

import pytest

from pipelines.frames import frames
from pipelines.media import probe
from tests.pipelines.truth import base
from tests.pipelines.truth.wrapping import Wrapping, wrap

TWO_FRAMES = 2 / base.RATE + 0.001

WRAPPINGS = [
    Wrapping("clip.mp4"),
    Wrapping("fragmented.mp4", muxing={"movflags": "frag_keyframe+empty_moov"}),
    Wrapping("faststart.mp4", muxing={"movflags": "+faststart"}),
    Wrapping("b-frames.mp4", options={"bf": "3", "b-adapt": "0"}),
    Wrapping("clip.mov"),
    Wrapping("mjpeg.mov", codec="mjpeg", pixels="yuvj420p"),
    Wrapping("png.mov", codec="png", pixels="rgb24"),
    Wrapping("prores.mov", codec="prores_ks", pixels="yuv422p10le"),
    Wrapping("clip.mkv"),
    Wrapping("ffv1.mkv", codec="ffv1"),
    Wrapping("hevc.mkv", codec="libx265", options={"x265-params": "log-level=none:pools=1"}),
    Wrapping("vp8.webm", codec="libvpx", options={"deadline": "realtime", "cpu-used": "8"}),
    Wrapping("vp9.webm", codec="libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"}),
    Wrapping("clip.avi", codec="mpeg4"),
    Wrapping("mjpeg.avi", codec="mjpeg", pixels="yuvj420p"),
    Wrapping("h264.avi"),
    Wrapping("clip.flv"),
    Wrapping("clip.ts"),
    Wrapping("mpeg2.ts", codec="mpeg2video"),
    Wrapping("clip.mpg", codec="mpeg2video"),
    Wrapping("mpeg1.mpg", codec="mpeg1video"),
    Wrapping("clip.vob", codec="mpeg2video"),
    Wrapping("clip.asf", codec="msmpeg4"),
    Wrapping("clip.wmv", codec="wmv2"),
    Wrapping("clip.nut"),
    Wrapping("clip.mxf", codec="mpeg2video"),
    Wrapping("clip.3gp"),
    Wrapping("clip.ivf", codec="libvpx", options={"deadline": "realtime", "cpu-used": "8"}),
    Wrapping("clip.y4m", codec="wrapped_avframe"),
    Wrapping("clip.gif", codec="gif", pixels="rgb8"),
]


@pytest.mark.parametrize("wrapping", WRAPPINGS, ids=lambda wrapping: wrapping.name)
def test_every_picture_is_shown_at_its_time(tmp_path: Path, wrapping: Wrapping) -> None:
    media = probe(wrap(tmp_path, wrapping))
    assert media.video is not None
    assert (media.video.width, media.video.height) == (base.WIDTH, base.HEIGHT)
    assert media.duration_seconds == pytest.approx(base.SECONDS, abs=TWO_FRAMES)
    found = {base.read_number(frame.image): frame.time for frame in frames(media)}
    for number, time in enumerate(wrapping.shown):
        assert found[number] == pytest.approx(time, abs=TWO_FRAMES), number
