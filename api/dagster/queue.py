"""A cache of the queue: Dagster takes seconds to list a long one, and a person who looks at a
job that waits in it asks for the whole.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from api.dagster.client import DagsterClient
from api.dagster.run import QueuedRun
from api.errors import FramegateError

#: A queue as short as this is listed anew for everyone.
_SHORT = 50
#: How long the list of a longer one is taken for true: 5 s where a thousand wait.
_SECONDS_PER_RUN = 0.005
_MOST_SECONDS = 10.0


class CachedQueue:
    """Asks once at a time; callers that come meanwhile share the answer."""

    def __init__(self, dagster: DagsterClient) -> None:
        self._dagster = dagster
        self._asking: asyncio.Task[None] | None = None
        self._runs: Sequence[QueuedRun] = ()
        self._trusted_until = float("-inf")

    async def runs(self) -> Sequence[QueuedRun]:
        """In the order in which they start. Raises OrchestratorUnavailableError."""
        if time.monotonic() >= self._trusted_until:
            if self._asking is None:
                self._asking = asyncio.create_task(self._ask())
                self._asking.add_done_callback(_hear)
            # Shielded: the first caller may leave before the others have their answer.
            await asyncio.shield(self._asking)
        return self._runs

    async def runs_if_known(self) -> Sequence[QueuedRun] | None:
        """None where Dagster does not say."""
        with suppress(FramegateError):
            return await self.runs()
        return None

    async def _ask(self) -> None:
        try:
            self._runs = await self._dagster.queue()
        finally:
            self._asking = None
        if len(self._runs) > _SHORT:
            trust = min(_MOST_SECONDS, _SECONDS_PER_RUN * len(self._runs))
            self._trusted_until = time.monotonic() + trust


def _hear(asked: asyncio.Task[None]) -> None:
    """What it failed with, where everybody who wanted to know has left."""
    if not asked.cancelled():
        asked.exception()
