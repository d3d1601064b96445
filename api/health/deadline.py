"""Asks a part how it is, and waits no longer than its deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from api.errors import FramegateError
from pipelines.registry.devices import InventoryError

T = TypeVar("T")

_THREADS = 8


class ProbeError(Exception):
    """The part does not work, or does not answer in time; the message says which."""


@dataclass(frozen=True)
class Deadline:
    """Blocking questions get threads of their own: those that never return (a dead network
    disk) must not use up the ones that serve requests.
    """

    seconds: float
    threads: CapacityLimiter

    @classmethod
    def of(cls, seconds: float) -> "Deadline":
        return cls(seconds, CapacityLimiter(_THREADS))

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

    async def call(self, ask: Callable[[], T]) -> T:
        """The same for a question that blocks. Raises ProbeError."""
        return await self.wait(
            to_thread.run_sync(ask, abandon_on_cancel=True, limiter=self.threads)
        )
