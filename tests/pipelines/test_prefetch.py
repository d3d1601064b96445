"""Decoding runs ahead in a thread of its own, and never outlives its consumer."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from pipelines.prefetch import prefetched


def prefetching() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "prefetch"]


def test_items_come_in_order() -> None:
    with prefetched(lambda _stopped: iter(range(100)), 3) as ready:
        assert list(ready) == list(range(100))
    assert prefetching() == []


def test_the_producer_runs_ahead_but_not_far() -> None:
    made: list[int] = []
    enough = threading.Event()

    def produce() -> Iterator[int]:
        for number in range(100):
            made.append(number)
            if number == 4:
                enough.set()
            yield number

    with prefetched(lambda _stopped: produce(), 3) as ready:
        assert next(ready) == 0
        assert enough.wait(10)
        assert len(made) <= 6


def test_an_error_reaches_the_consumer_after_the_items_before_it() -> None:
    def produce() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    with prefetched(lambda _stopped: produce(), 3) as ready:
        assert next(ready) == 1
        with pytest.raises(ValueError, match="broken"):
            next(ready)
    assert prefetching() == []


def test_the_thread_ends_when_the_consumer_leaves_early() -> None:
    closed = threading.Event()

    def produce() -> Iterator[int]:
        try:
            number = 0
            while True:
                yield number
                number += 1
        finally:
            closed.set()

    with prefetched(lambda _stopped: produce(), 3) as ready:
        assert next(ready) == 0
    assert prefetching() == []
    assert closed.wait(10)


def test_the_thread_ends_when_the_consumer_fails() -> None:
    def consume() -> None:
        with prefetched(lambda _stopped: iter(range(1000)), 3) as ready:
            next(ready)
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        consume()
    assert prefetching() == []


def test_what_is_long_in_making_an_item_can_end_before_it() -> None:
    begun = threading.Event()

    def produce(stopped: Callable[[], bool]) -> Iterator[int]:
        begun.set()
        while not stopped():
            time.sleep(0.001)
        yield 1

    with prefetched(produce, 3):
        assert begun.wait(10)
    assert prefetching() == []
