"""Probing names what a file is, or what is wrong with it."""

import wave
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np
import pytest
from av.stream import Disposition

from pipelines.errors import MediaError
from pipelines.frames import frames
from pipelines.media import probe
from tests.pipelines.hearing import heard

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


def encoded(path: Path, codec: str, *, count: int, start: float = 0.0, **properties: Any) -> Path:
    """`count` grey frames of 64x48 at 25 frames/s from `start` seconds on."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, 25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for name, value in properties.items():
            setattr(stream.codec_context, name, value)
        for number in range(count):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 5 * number % 250, np.uint8))
            frame.pts, frame.time_base = round(start * 25) + number, Fraction(1, 25)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("video.mkv", "libx264"),
        ("video.webm", "libvpx"),
        ("video.asf", "mpeg4"),
        ("video.mov", "libx264"),
        ("video.ts", "libx264"),
    ],
)
def test_a_clock_that_starts_late_does_not_lengthen_the_video(
    tmp_path: Path, name: str, codec: str
) -> None:
    media = probe(encoded(tmp_path / name, codec, count=20, start=20.0))
    assert media.duration_seconds == pytest.approx(0.8, abs=0.05)
    assert media.video.frame_count == pytest.approx(20, abs=1)


@pytest.mark.parametrize("count", [20, 750])
def test_an_mpeg_program_stream_is_as_long_as_its_last_packets_say(
    tmp_path: Path, count: int
) -> None:
    path = encoded(tmp_path / "video.mpg", "mpeg2video", count=count, gop_size=100)
    media = probe(path)
    assert media.duration_seconds == pytest.approx(count / 25, abs=0.05)
    assert media.video.frame_count == pytest.approx(count, abs=1)


def test_pixels_that_are_not_square_are_made_so(tmp_path: Path) -> None:
    shape = {"sample_aspect_ratio": Fraction(64, 45)}
    media = probe(encoded(tmp_path / "video.mp4", "libx264", count=3, **shape))
    assert (media.video.width, media.video.height) == (91, 48)
    (first, *_) = frames(media)
    assert first.image.shape == (48, 91, 3)


def test_a_shape_of_pixels_that_no_camera_has_is_not_believed(tmp_path: Path) -> None:
    shape = {"sample_aspect_ratio": Fraction(200, 1)}
    media = probe(encoded(tmp_path / "video.mp4", "libx264", count=3, **shape))
    assert (media.video.width, media.video.height) == (64, 48)


def two_sounds(path: Path, *, default: int) -> Path:
    """A silence and a tone, of 1 s each; a player is to choose number `default`."""
    with av.open(str(path), "w", options={"default_mode": "passthrough"}) as container:
        streams = [container.add_stream("pcm_s16le", 16_000, layout="mono") for _ in range(2)]
        streams[default].disposition = Disposition.default
        tone = (16_000 * np.sin(np.arange(16_000) / 4)).astype(np.int16)
        for stream, samples in zip(streams, (0 * tone, tone), strict=True):
            frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
            frame.sample_rate, frame.pts, frame.time_base = 16_000, 0, Fraction(1, 16_000)
            container.mux(stream.encode(frame))
    return path


@pytest.mark.parametrize("default", [0, 1])
def test_of_two_sounds_the_one_that_a_player_chooses_is_heard(tmp_path: Path, default: int) -> None:
    media = probe(two_sounds(tmp_path / "sounds.mkv", default=default))
    assert media.audio.index == default
    assert (np.abs(heard(media)).max() > 0.3) == (default == 1)


def without_decoder(path: Path, streams: int) -> Path:
    """Gives the first so many streams a codec that there is not."""
    path.write_bytes(path.read_bytes().replace(b"A_PCM/INT/LIT", b"A_NOT/INT/LIT", streams))
    return path


def test_of_two_sounds_the_one_that_decodes_is_heard(tmp_path: Path) -> None:
    media = probe(without_decoder(two_sounds(tmp_path / "sounds.mkv", default=0), 1))
    assert (media.audio.index, media.undecodable_audio) == (1, None)


def test_sound_that_cannot_be_decoded_is_named(make_video: Callable[..., Path]) -> None:
    path = make_video([BLACK] * 10, sound=np.zeros(6400, np.float32), name="video.mkv")
    path.write_bytes(path.read_bytes().replace(b"A_AAC", b"A_NOT"))
    media = probe(path)
    assert media.audio is None
    assert media.undecodable_audio == "unknown codec"


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
        pytest.param("Ho\u0308rsaal.mov", "H\u00f6rsaal", id="macOS"),
        pytest.param(
            "\u0939\u093f\u0928\u094d\u0926\u0940 1.mp4",
            "\u0939\u093f\u0928\u094d\u0926\u0940_1",
            id="Hindi",
        ),
        pytest.param(
            "\u0e01\u0e34\u0e19\u0e19\u0e49\u0e33.mp4",
            "\u0e01\u0e34\u0e19\u0e19\u0e49\u0e33",
            id="Thai",
        ),
        pytest.param("\u0645\u06cc\u200c\u062e.mp4", "\u0645\u06cc\u062e", id="joiner"),
        pytest.param("\u0301\u0301a.mp4", "a", id="marks without a letter"),
        pytest.param(
            "x" * 117 + "\u0939\u093f.mp4", "x" * 117, id="cut before a letter with a mark"
        ),
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
