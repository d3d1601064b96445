"""Asks a part how it is, and waits no longer than its deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from threading import Thread
from typing import Any, TypeVar

from api.errors import FramegateError
from pipelines.registry.devices import InventoryError

T = TypeVar("T")


class ProbeError(Exception):
    """The part does not work, or does not answer in time; the message says which."""


@dataclass(frozen=True)
class Deadline:
    """Blocking questions get threads of their own: one that never returns (a hung driver, a dead
    network disk) must not use up those that serve requests. While a part owes its answer it is
    not asked again, so that there is never more than one thread for each.
    """

    seconds: float
    _answers: dict[str, "Future[Any]"] = field(default_factory=dict, init=False)

    async def wait(self, answer: Awaitable[T]) -> T:
        """Raises ProbeError for whatever goes wrong."""
        try:
            async with asyncio.timeout(self.seconds):
                return await answer
        except TimeoutError as error:
            raise ProbeError(f"No answer within {self.seconds:g} s") from error
        except (FramegateError, InventoryError) as error:
            raise ProbeError(str(error)) from error
        except Exception as error:
            raise ProbeError(f"{type(error).__name__}: {error}"[:500]) from error

    async def call(self, part: str, ask: Callable[[], T]) -> T:
        """The same for a question that blocks; whoever asks the part the same meanwhile gets the
        same answer. Raises ProbeError.
        """
        answer: Future[T] | None = self._answers.get(part)
        if answer is None or answer.done():
            answer = self._answers[part] = _in_thread(part, ask)
        return await self.wait(asyncio.wrap_future(answer))


def _in_thread(name: str, ask: Callable[[], T]) -> "Future[T]":
    """A daemon's: one that hangs must not keep the process from ending, either."""
    answer: Future[T] = Future()
    answer.set_running_or_notify_cancel()

    def work() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # noqa: BLE001 - whoever waits for the answer gets it
            answer.set_exception(error)

    Thread(target=work, name=f"probe {name}", daemon=True).start()
    return answer
