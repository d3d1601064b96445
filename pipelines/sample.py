"""`python -m pipelines.sample OUT.mp4`: a video with something in it for every pipeline.

Real clips are cut together: eight scenes, a talking head in two of them (whose voice is synthetic,
as the clip is silent), and a cartoon with its own sound.
"""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from contracts.atomic_file import replacing
from pipelines.clips import clip
from pipelines.display import centred
from pipelines.fitting import Size, fit_inside
from pipelines.frames import frames
from pipelines.media import Media, probe
from pipelines.sound import audio
from pipelines.speech_sample import SAMPLE_RATE, speech_like

WIDTH, HEIGHT, FRAME_RATE = 640, 360, 25

_ROOM = Size(WIDTH, HEIGHT)
_SAMPLES_PER_FRAME = SAMPLE_RATE // FRAME_RATE


@dataclass(frozen=True)
class Piece:
    """A clip from its start; `speech` is when a voice speaks, in seconds into the piece."""

    clip: str
    seconds: float
    speech: tuple[float, float] | None = None


PIECES = (
    Piece("carphone", 4.0, speech=(0.6, 3.4)),
    Piece("bikes", 9.6),
    Piece("bigbuckbunny", 5.2),
    Piece("carphone", 4.0, speech=(0.4, 2.8)),
)


def build_sample(path: Path) -> Path:
    """Writes the sample to `path` (MP4: H.264 and AAC, 640x360, 25 frames/s, 23 s); returns it.

    Raises MediaError where the clips are not installed.
    """
    pieces = [(piece, probe(clip(piece.clip))) for piece in PIECES]
    with replacing(path) as temporary:
        _write(
            temporary,
            pictures=(picture for piece, media in pieces for picture in _pictures(piece, media)),
            sound=np.concatenate([_sound(piece, media) for piece, media in pieces]),
        )
    return path


def _pictures(piece: Piece, media: Media) -> Iterator[npt.NDArray[np.uint8]]:
    """The piece's frames, scaled to fit and set on black."""
    if media.video is None:
        return
    picked = frames(media, size=partial(fit_inside, room=_ROOM), rate=FRAME_RATE)
    for frame in islice(picked, _frame_count(piece)):
        yield centred(frame.image, _ROOM)


def _sound(piece: Piece, media: Media) -> npt.NDArray[np.float32]:
    """The piece's own sound or silence, with the voice on top."""
    sound = np.zeros(_frame_count(piece) * _SAMPLES_PER_FRAME, np.float32)
    for own in audio(media, sample_rate=SAMPLE_RATE, chunk_seconds=piece.seconds):
        samples = own.mono[: len(sound)]
        sound[: len(samples)] = samples
        break
    if piece.speech:
        start, end = piece.speech
        voice = speech_like(end - start)
        sound[round(start * SAMPLE_RATE) :][: len(voice)] += voice
    return sound


def _frame_count(piece: Piece) -> int:
    return round(piece.seconds * FRAME_RATE)


def _write(
    path: Path, pictures: Iterable[npt.NDArray[np.uint8]], sound: npt.NDArray[np.float32]
) -> None:
    with av.open(str(path), "w", options={"movflags": "+faststart"}) as container:
        video = container.add_stream("libx264", FRAME_RATE, options={"preset": "veryfast"})
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        speaker = container.add_stream("aac", SAMPLE_RATE, layout="mono")
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, "rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FRAME_RATE)
            container.mux(video.encode(frame))
            start = number * _SAMPLES_PER_FRAME
            container.mux(speaker.encode(_heard(sound[start : start + _SAMPLES_PER_FRAME], start)))
        container.mux(video.encode(None))
        container.mux(speaker.encode(None))


def _heard(samples: npt.NDArray[np.float32], start: int) -> av.AudioFrame:
    planes: Any = samples[None]
    frame = av.AudioFrame.from_ndarray(planes, "fltp", "mono")
    frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, start, Fraction(1, SAMPLE_RATE)
    return frame


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m pipelines.sample", description=__doc__)
    parser.add_argument("path", type=Path)
    build_sample(parser.parse_args().path)
