"""Measures what a pipeline waits for: decoding, inference, writing."""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from pipelines.findings import Timings

Item = TypeVar("Item")


@dataclass
class Stopwatch:
    """Adds up seconds of wall clock per kind of work.

    Attributes:
        timings: what was counted, for `Findings`.

    Methods:
        decoding(items): passes `items` on, and counts the time spent waiting for each.
        inference(): counts the time in its `with` block.
        writing(): counts the time in its `with` block.

    Example:
        >>> stopwatch = Stopwatch()
        >>> media = probe(Path("video.mp4"))
        >>> for frame in stopwatch.decoding(frames(media, max_side=64)):
        ...     with stopwatch.inference():
        ...         brightness = frame.image.mean()
        >>> stopwatch.timings.decode_seconds > 0
        True
    """

    decode_seconds: float = 0.0
    inference_seconds: float = 0.0
    write_seconds: float = 0.0

    def decoding(self, items: Iterable[Item]) -> Iterator[Item]:
        source = iter(items)
        while True:
            started = time.perf_counter()
            try:
                item = next(source)
            except StopIteration:
                return
            finally:
                self.decode_seconds += time.perf_counter() - started
            yield item

    @contextmanager
    def inference(self) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.inference_seconds += time.perf_counter() - started

    @contextmanager
    def writing(self) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.write_seconds += time.perf_counter() - started

    @property
    def timings(self) -> Timings:
        return Timings(self.decode_seconds, self.inference_seconds, self.write_seconds)
