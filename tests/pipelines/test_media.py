"""Probing names what a file is, or what is wrong with it."""

import wave
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
import pytest

from pipelines.errors import MediaError
from pipelines.media import probe

BLACK = np.zeros((48, 64, 3), np.uint8)


def test_a_real_video_is_described(clips: dict[str, Path]) -> None:
    media = probe(clips["bigbuckbunny"], name="Big Buck Bunny.mp4")
    assert (media.video.width, media.video.height, media.video.rotation) == (1280, 720, 0)
    assert (media.video.frame_rate, media.video.frame_count) == (25, 132)
    assert media.video.duration_seconds == pytest.approx(5.28)
    assert (media.audio.sample_rate, media.audio.channels) == (48_000, 6)
    assert (media.name, media.container) == ("Big Buck Bunny.mp4", "mp4")
    assert media.size_bytes == clips["bigbuckbunny"].stat().st_size
    assert media.duration_seconds == pytest.approx(5.312)


def test_a_video_without_sound_has_no_audio(clips: dict[str, Path]) -> None:
    assert probe(clips["bikes"]).audio is None


def test_sound_alone_is_media(tmp_path: Path) -> None:
    path = tmp_path / "tone.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", None))
        file.writeframes(bytes(16_000))
    media = probe(path)
    assert media.video is None
    assert (media.audio.sample_rate, media.audio.channels) == (8000, 1)
    assert media.duration_seconds == pytest.approx(1.0)


def test_a_cover_picture_is_not_a_video(tmp_path: Path) -> None:
    path = tmp_path / "song.m4a"
    with av.open(str(path), "w", format="mp4") as container:
        sound = container.add_stream("aac", 16_000, layout="mono")
        cover = container.add_stream("mjpeg", 25)
        cover.width, cover.height, cover.pix_fmt = 64, 48, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 16_000), np.float32), "fltp", "mono")
        frame.sample_rate = 16_000
        packets = sound.encode(frame) + sound.encode(None)
        picture = av.VideoFrame.from_ndarray(BLACK, "rgb24")
        packets += cover.encode(picture) + cover.encode(None)
        container.mux(packets)
    media = probe(path)
    assert media.video is None
    assert media.audio is not None


@pytest.mark.parametrize(("rotation", "size"), [(90, (48, 64)), (180, (64, 48)), (270, (48, 64))])
def test_width_and_height_are_those_on_display(
    make_video: Callable[..., Path], rotation: int, size: tuple[int, int]
) -> None:
    video = probe(make_video([BLACK] * 3, rotation=rotation)).video
    assert (video.width, video.height) == size
    assert video.rotation == rotation


def test_one_frame_is_a_video(make_video: Callable[..., Path]) -> None:
    media = probe(make_video([BLACK]))
    assert media.video.frame_count == 1
    assert media.duration_seconds > 0


def test_odd_sizes_are_told_exactly(make_video: Callable[..., Path]) -> None:
    video = probe(make_video([np.zeros((35, 51, 3), np.uint8)] * 2)).video
    assert (video.width, video.height) == (51, 35)


def test_a_duration_that_the_file_does_not_hold_is_measured(
    make_video: Callable[..., Path], tmp_path: Path
) -> None:
    path = tmp_path / "recorded.webm"
    with av.open(str(make_video([BLACK] * 50))) as source, path.open("wb") as file:
        pipe = Pipe(file)
        with av.open(pipe, "w", format="matroska") as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux(video=0):
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
    media = probe(path)
    assert media.container == "webm"
    assert media.duration_seconds == pytest.approx(2.0, abs=0.05)


class Pipe:
    """Where a muxer cannot go back to fill in the duration, as in a browser's recording."""

    def __init__(self, file: BinaryIO) -> None:
        self.write = file.write


@pytest.mark.parametrize(
    ("content", "defect"),
    [
        pytest.param(b"", "is empty", id="empty"),
        pytest.param(
            b"Just some text, which is not a video.\n" * 50, "not video or audio", id="text"
        ),
        pytest.param(bytes(range(256)) * 400, "not video or audio", id="noise"),
        pytest.param(b"#EXTM3U\n#EXTINF:5,\n/etc/passwd\n", "not video or audio", id="playlist"),
        pytest.param(
            b"ffconcat version 1.0\nfile /etc/passwd\n", "not video or audio", id="concat"
        ),
    ],
)
def test_what_is_not_media_is_refused_with_the_defect(
    tmp_path: Path, content: bytes, defect: str
) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=defect) as caught:
        probe(path)
    assert caught.value.hint


@pytest.mark.parametrize("keep", [0.1, 0.9, 0.9965])
def test_an_mp4_without_its_index_is_called_cut_off(
    clips: dict[str, Path], tmp_path: Path, keep: float
) -> None:
    content = clips["bigbuckbunny"].read_bytes()
    path = tmp_path / "cut.mp4"
    path.write_bytes(content[: int(len(content) * keep)])
    with pytest.raises(MediaError, match=r"cut off: its index \(moov\) is missing"):
        probe(path)


def test_a_video_of_which_nothing_decodes_is_refused(make_video: Callable[..., Path]) -> None:
    path = make_video([BLACK] * 10)
    content = bytearray(path.read_bytes())
    start = content.find(b"mdat") + 4
    content[start : content.find(b"moov") - 4] = bytes(content.find(b"moov") - 4 - start)
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"No frame of the video \(h264\) can be decoded"):
        probe(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="No such file"):
        probe(tmp_path / "nowhere.mp4")
    with pytest.raises(MediaError, match="not a file"):
        probe(tmp_path)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("holiday.mp4", "holiday"),
        ("my holiday (1).mp4", "my_holiday_1"),
        ("../../etc/passwd", "passwd"),
        ("C:\\videos\\día.mov", "día"),
        ("a\x00b\nc\u202ed.mp4", "a_b_c_d"),
        ("📷.mp4", "media"),
        ("", "media"),
        ("..", "media"),
        ("\ud800.mp4", "media"),
        ("x" * 300 + ".mp4", "x" * 120),
        ("映" * 300 + ".mp4", "映" * 40),
    ],
)
def test_the_stem_is_safe_in_file_names_and_rttm(
    clips: dict[str, Path], name: str, stem: str
) -> None:
    assert probe(clips["carphone"], name=name).stem == stem


def test_the_stored_path_may_hide_the_suffix(clips: dict[str, Path], tmp_path: Path) -> None:
    stored = tmp_path / ("a" * 64)
    stored.write_bytes(Path(clips["bikes"]).read_bytes())
    assert probe(stored, name="bikes.mov").container == "mov"
