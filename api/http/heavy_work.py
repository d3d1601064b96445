"""Work that takes as long as a client has sent much: reading and judging large bodies."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from api.auth.shares import Shares

T = TypeVar("T")

_AT_ONCE_PER_KEY = 4


class HeavyWork:
    """Does one piece at a time, in a thread: of several, each would take a turn at the interpreter
    before the event loop has the next one.
    """

    def __init__(self) -> None:
        self._turn = CapacityLimiter(1)
        self._shares = Shares(_AT_ONCE_PER_KEY, "large bodies", retry_after=1)

    async def do(self, work: Callable[[], T], owner: str) -> T:
        """Raises RateLimitedError, and what `work` raises."""
        with self._shares.hold(owner):
            return await to_thread.run_sync(work, limiter=self._turn)
