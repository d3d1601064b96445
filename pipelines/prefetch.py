"""Lets decoding run ahead of inference in a thread of its own, a bounded number of items ahead."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")


@contextmanager
def prefetched(items: Iterator[Item], ahead: int) -> Iterator[Iterator[Item]]:
    """Runs `items` in a thread, at most `ahead` items ahead; an item must not be None.

        with prefetched(frames(media), 64) as ready:
            for frame in ready: ...

    What `items` raises is raised to the consumer. Leaving the block, early or not, ends the
    thread; it waits for at most the one item under way.
    """
    producer = _Producer(items, ahead)
    producer.start()
    try:
        yield iter(producer)
    finally:
        producer.stop()


class _Producer(threading.Thread, Generic[Item]):
    def __init__(self, items: Iterator[Item], ahead: int) -> None:
        super().__init__(name="prefetch", daemon=True)
        self._items = items
        self._queue: Queue[Item | None] = Queue(ahead)
        self._stopped = threading.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            for item in self._items:
                self._queue.put(item)
                if self._stopped.is_set():
                    break
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            self._error = error
        finally:
            close = getattr(self._items, "close", None)  # a generator holds a file open
            if close is not None:
                close()
            self._queue.put(None)

    def __iter__(self) -> Iterator[Item]:
        while (item := self._queue.get()) is not None:
            yield item
        self._queue.put(None)
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        self._stopped.set()
        while self._queue.get() is not None:
            pass
        self.join()
