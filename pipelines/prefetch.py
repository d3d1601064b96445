"""Lets decoding run ahead of inference in a thread of its own, a bounded number of items ahead."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Generic, TypeVar

Item = TypeVar("Item")


@contextmanager
def prefetched(
    produce: Callable[[Callable[[], bool]], Iterator[Item]], ahead: int
) -> Iterator[Iterator[Item]]:
    """Runs `produce` in a thread, at most `ahead` items ahead; an item must not be None.

        with prefetched(lambda stopped: frames(media, stopped=stopped), 64) as ready:
            for frame in ready: ...

    What it raises is raised to the consumer. Leaving the block, early or not, ends the thread:
    from then on `stopped()` is true, for what is long in making one item to end before it.
    """
    producer = _Producer(produce, ahead)
    producer.start()
    try:
        yield iter(producer)
    finally:
        producer.stop()


class _Producer(threading.Thread, Generic[Item]):
    def __init__(self, produce: Callable[[Callable[[], bool]], Iterator[Item]], ahead: int) -> None:
        super().__init__(name="prefetch", daemon=True)
        self._queue: Queue[Item | None] = Queue(ahead)
        self._stopped = threading.Event()
        self._items = produce(self._stopped.is_set)
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
