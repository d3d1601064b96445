"""Calls into a driver that may never return, for callers that must go on."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

Answer = TypeVar("Answer")


@dataclass
class Deadline:
    """One call at a time: while one does not return in time, no other one is begun.

    A thread in the kernel cannot be ended; it is left behind, and does not keep the process.
    """

    seconds: float
    _turn: threading.Lock = field(default_factory=threading.Lock, init=False)
    _hangs: bool = field(default=False, init=False)

    def call(self, function: Callable[[], Answer]) -> Answer:
        """What the function returns or raises; raises TimeoutError."""
        if not self._turn.acquire(timeout=0.0 if self._hangs else self.seconds):
            raise TimeoutError("an earlier call has not returned yet")
        answers: list[Answer] = []
        errors: list[Exception] = []

        def run() -> None:
            try:
                answers.append(function())
            except Exception as error:  # noqa: BLE001 - it is raised where it was called
                errors.append(error)
            finally:
                self._hangs = False
                self._turn.release()

        self._start(run).join(self.seconds)
        if errors:
            raise errors[0]
        if not answers:
            self._hangs = self._turn.locked()
            raise TimeoutError(f"no answer within {self.seconds:g} s")
        return answers[0]

    def _start(self, run: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=run, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # no thread can be started
            self._turn.release()
            raise TimeoutError(str(error)) from error
        return thread
