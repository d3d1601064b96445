"""Single frames out of the middle of a video, for previews."""

from collections.abc import Iterator, Sequence

import av
import numpy as np
import numpy.typing as npt
from av.container import InputContainer

from pipelines.container import clock_start, open_container
from pipelines.damage import Damage
from pipelines.decoder_limits import limit_decoder
from pipelines.decoding import decoded, picture_stream
from pipelines.display import Display, centred
from pipelines.displayed_size import DisplayedSize
from pipelines.fitting import fit_inside
from pipelines.frames import TimedFrame, step_of, timed
from pipelines.media import Media

#: Times are rounded to the stream's ticks, which are shorter than this.
_TICK_SECONDS = 0.0005


def snapshots(
    media: Media, times: Sequence[float], size: tuple[int, int]
) -> Iterator[npt.NDArray[np.uint8]]:
    """The frame on display at each of `times` (seconds, ascending), on black where it has another
    shape than `size`. Before the first frame that one serves, and the last one after the end.

    Jumps from key frame to key frame where the file has an index, and decodes nothing twice.
    """
    with open_container(media.path) as container:
        stream = picture_stream(container, media)
        if stream is None:
            return
        limit_decoder(stream)
        display, displayed = Display(), DisplayedSize(container, stream)
        film = _Film(container, media, stream)
        for time in times:
            frame = film.at(time)
            if frame is not None:
                shown = fit_inside(displayed.of(frame), size)
                yield centred(display.show(frame, shown), size)


class _Film:
    """A video that is wound to the frame on display at a time, forwards only."""

    def __init__(self, container: InputContainer, media: Media, stream: av.VideoStream) -> None:
        self._container, self._media, self._stream = container, media, stream
        self._start = clock_start(container, stream)
        self._ahead = self._decode()
        self._shown: TimedFrame | None = None
        self._next = next(self._ahead, None)

    def at(self, time: float) -> av.VideoFrame | None:
        """The frame on display; None where nothing decodes."""
        self._jump(time)
        while self._next is not None and self._begun(self._next, time):
            self._shown, self._next = self._next, next(self._ahead, None)
        frame = self._shown or self._next
        return None if frame is None else frame.picture

    def _jump(self, time: float) -> None:
        """Winds on to the last key frame before `time`, if it is ahead. An index may hold times of
        decoding: where that key frame is shown after `time` only, an earlier one is needed.
        """
        wanted = self._key_frame(self._ticks(time))
        if wanted is None or self._next is None or wanted <= self._ticks(self._next.time):
            return
        while wanted is not None:
            self._container.seek(wanted, stream=self._stream)
            self._ahead = self._decode()
            self._next = next(self._ahead, None)
            if self._next is not None and self._begun(self._next, time):
                return
            wanted = self._key_frame(wanted - 1)

    def _key_frame(self, ticks: int) -> int | None:
        """The time in ticks of the last key frame at or before `ticks`, if there is an index."""
        entries = self._stream.index_entries
        place = entries.search_timestamp(ticks, backward=True)
        return entries[place].timestamp if place >= 0 else None

    def _decode(self) -> Iterator[TimedFrame]:
        source = decoded(self._container, self._media, self._stream, Damage())
        return timed(source, self._start, step_of(self._stream))

    def _begun(self, frame: TimedFrame, time: float) -> bool:
        return frame.time <= time + _TICK_SECONDS

    def _ticks(self, time: float) -> int:
        unit = self._stream.time_base
        return round((time + self._start) / unit) if unit else 0
