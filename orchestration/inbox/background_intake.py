"""Takes files in on threads of its own: a sensor's tick has a deadline, a large file has none."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from pathlib import Path
from typing import TypeAlias

from orchestration.inbox.entry import ChangeTime
from orchestration.inbox.intake import IntakeResult, Postponement

File: TypeAlias = tuple[Path, ChangeTime]

logger = logging.getLogger("framegate.inbox")

_THREADS = 2
_AT_ONCE = 8


class BackgroundIntake:
    """Its threads start with the first file, and end with the process."""

    def __init__(self, take_in: Callable[[Path], IntakeResult]) -> None:
        self._take_in = take_in
        self._files: queue.SimpleQueue[tuple[Path, Future[IntakeResult]]] = queue.SimpleQueue()
        self._under_way: dict[File, Future[IntakeResult]] = {}
        self._threads: list[threading.Thread] = []

    def outcomes(
        self, files: Sequence[File], deadline: float
    ) -> Iterator[tuple[File, IntakeResult]]:
        """Of those that are done at the deadline, in seconds of the monotonic clock; the others
        are asked for again later. Few are begun at once, so that a file which comes later never
        waits for long. A file whose taking in raises waits, and the log has why.
        """
        self._forget_all_but(files)
        for start in range(0, len(files), _AT_ONCE):
            batch = files[start : start + _AT_ONCE]
            futures = [self._begin(file) for file in batch]
            wait_for(futures, timeout=max(0.0, deadline - time.monotonic()))
            for file, future in zip(batch, futures, strict=True):
                if future.done():
                    self._under_way.pop(file, None)
                    yield file, future.result()
            if time.monotonic() > deadline:
                return

    def _forget_all_but(self, files: Sequence[File]) -> None:
        """What changed or went away while it was taken in is never asked for again."""
        asked = set(files)
        for file, future in list(self._under_way.items()):
            if future.done() and file not in asked:
                self._under_way.pop(file, None)

    def _begin(self, file: File) -> Future[IntakeResult]:
        if file in self._under_way:
            return self._under_way[file]
        if not self._threads:
            # Not an executor's: those keep a process from ending until a large file is read.
            self._threads = [
                threading.Thread(target=self._work, daemon=True) for _ in range(_THREADS)
            ]
            for thread in self._threads:
                thread.start()
        future = self._under_way[file] = Future[IntakeResult]()
        self._files.put((file[0], future))
        return future

    def _work(self) -> None:
        while True:
            path, future = self._files.get()
            try:
                outcome = self._take_in(path)
            except Exception as error:
                logger.exception("a file of the inbox cannot be taken in")
                outcome = Postponement(f"taking it in failed ({type(error).__name__})")
            future.set_result(outcome)
