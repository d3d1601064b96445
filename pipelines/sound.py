"""The sound of a media as a stream: every channel of it, at its true times.

Memory stays flat however long the media is, and so does what a pause costs: it is left out. Times
are seconds on the clock of a player (see `pipelines.container.clock_start`).
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt

from pipelines.container import clock_start, open_container
from pipelines.damage import Damage
from pipelines.decoding import decoded, never, sound_stream
from pipelines.duration import is_raw_aac
from pipelines.errors import MediaError
from pipelines.media import Media
from pipelines.timeline import believed

Samples = npt.NDArray[np.float32]

#: How far sound may be off the clock before silence is put in, or what overlaps is left out.
_TOLERANCE_SECONDS = 0.02
#: A longer pause is left out.
_LONGEST_SILENCE_SECONDS = 1.0
#: Nothing can be heard in a lower rate, and few bytes of it would make hours.
_LOWEST_RATE = 2000


@dataclass(frozen=True)
class Sound:
    """A stretch of sound.

    Attributes:
        start: seconds on the player's clock.
        samples: (channels, n) float32, from -1 to 1.
        mono: the mean of the channels, (n,); what is inverted in one of them cancels out.

    Example:
        >>> sound = next(audio(probe(Path("video.mp4")), sample_rate=8_000, chunk_seconds=0.5))
        >>> sound.start, sound.samples.shape, sound.mono.shape
        (0.0, (1, 4000), (4000,))
    """

    start: float
    samples: Samples

    @property
    def mono(self) -> Samples:
        mean: Samples = self.samples.mean(axis=0)
        return mean


@dataclass(frozen=True)
class _Piece:
    """`start` counts samples."""

    start: int
    samples: Samples

    @property
    def end(self) -> int:
        return self.start + len(self.samples[0])


def audio(
    media: Media,
    *,
    sample_rate: int = 16_000,
    chunk_seconds: float = 30,
    damage: Damage | None = None,
    stopped: Callable[[], bool] = never,
) -> Iterator[Sound]:
    """The sound in chunks of `chunk_seconds` that follow each other; none for media without sound.

    A chunk is shorter before a pause of more than a second, where the number of channels changes,
    and at the end. Shorter pauses are filled with silence; what overlaps by less than a second is
    left out.

    Args:
        media: what `probe` said of the file.
        sample_rate: of the chunks, in Hz.
        chunk_seconds: how long they are.
        damage: told what is wrong with the file.
        stopped: asked between packets whether to end early.

    Raises MediaError, a PipelineError, when the file is not what it was.

    Example:
        >>> media = probe(Path("video.mp4"))
        >>> [sound.start for sound in audio(media, chunk_seconds=0.5)][:3]
        [0.0, 0.5, 1.0]
    """
    if media.audio is None:
        return
    length = max(1, round(chunk_seconds * sample_rate))
    waiting: list[_Piece] = []
    count = 0
    for piece in _pieces(media, sample_rate, damage or Damage(), stopped):
        if waiting and not _follows(piece, waiting[-1]):
            yield _joined(waiting, sample_rate)
            waiting, count = [], 0
        waiting.append(piece)
        count += piece.samples.shape[1]
        if count < length:
            continue
        held = _joined(waiting, sample_rate)
        whole = count - count % length
        for place in range(0, whole, length):
            samples = held.samples[:, place : place + length]
            yield Sound(held.start + place / sample_rate, samples)
        rest = held.samples[:, whole:]
        waiting = [_Piece(piece.end - rest.shape[1], rest)] if rest.size else []
        count = rest.shape[1]
    if waiting:
        yield _joined(waiting, sample_rate)


def _follows(piece: _Piece, before: _Piece) -> bool:
    return piece.start == before.end and len(piece.samples) == len(before.samples)


def _joined(pieces: list[_Piece], sample_rate: int) -> Sound:
    samples = np.concatenate([piece.samples for piece in pieces], axis=1)
    return Sound(pieces[0].start / sample_rate, samples)


def _pieces(
    media: Media, sample_rate: int, damage: Damage, stopped: Callable[[], bool]
) -> Iterator[_Piece]:
    """The sound as it is decoded, packet by packet, and the silence of short pauses."""
    with open_container(media.path) as container:
        stream = sound_stream(container, media)
        if stream is None:
            raise MediaError("The file has lost its sound.", "Was it changed during the run?")
        start = clock_start(container, stream)
        longest_hole = media.duration_seconds * sample_rate
        tolerance = round(_TOLERANCE_SECONDS * sample_rate)
        has_times, given = not is_raw_aac(container), 0
        source = decoded(container, media, stream, damage, stopped)
        for time, samples in believed(_resampled(source, sample_rate, damage)):
            due = given if time is None or not has_times else round((time - start) * sample_rate)
            if tolerance < due - given <= longest_hole:
                if given:
                    damage.gap(given / sample_rate, due / sample_rate)
                if due - given <= _LONGEST_SILENCE_SECONDS * sample_rate:
                    yield _Piece(given, np.zeros((len(samples), due - given), np.float32))
                given = due
            overlap = given - due if tolerance < given - due < sample_rate else 0
            piece = _Piece(given, samples[:, overlap:])
            given = piece.end
            if piece.samples.size:
                yield piece


def _resampled(
    source: Iterator[av.AudioFrame], sample_rate: int, damage: Damage
) -> Iterator[tuple[float | None, Samples]]:
    """Time and samples of each frame; a stream may change its rate and layout on the way."""
    resampler: av.AudioResampler | None = None
    form: tuple[str, str, int] | None = None
    for frame in source:
        if frame.sample_rate < _LOWEST_RATE:
            damage.remarks[_too_slow(frame.sample_rate)] = None
            continue
        previous, form = form, (frame.format.name, frame.layout.name, frame.sample_rate)
        if resampler is not None and form != previous:
            yield from _flushed(resampler)
            resampler = None
        time = frame.time
        try:
            resampler = resampler or av.AudioResampler("flt", frame.layout, sample_rate)
            parts = [_samples(part) for part in resampler.resample(frame)]
        except (av.FFmpegError, ValueError):  # damage may claim a layout that there is not
            damage.lose(time, frame.samples / frame.sample_rate, 0)
            resampler = None
            continue
        nothing = np.zeros((len(frame.layout.channels), 0), np.float32)
        yield time, np.concatenate(parts, axis=1) if parts else nothing
    if resampler is not None:
        yield from _flushed(resampler)


def _flushed(resampler: av.AudioResampler) -> Iterator[tuple[None, Samples]]:
    for part in resampler.resample(None):
        yield None, _samples(part)


def _samples(frame: av.AudioFrame) -> Samples:
    """(channels, n) of a frame with its channels interleaved; PyAV reads eight planes at most."""
    interleaved = frame.to_ndarray().astype(np.float32, copy=False)
    return interleaved.reshape(-1, len(frame.layout.channels)).T


def _too_slow(sample_rate: int) -> str:
    return f"Sound with {sample_rate} samples a second was left out: no voice can be in it."
