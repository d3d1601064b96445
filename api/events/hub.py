"""Who listens, and the one task that looks for all of them while anybody does."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable

from api.auth.shares import Shares
from api.errors import FramegateError, RateLimitedError
from api.events.event import Event
from api.events.watcher import Watcher

log = logging.getLogger("framegate.events")

_POLL_SECONDS = 1.0
_HISTORY = 2000
_BACKLOG = 500
_MAX_STREAMS = 2000


class Subscription:
    """One listener's events, of one job or of all. A listener that does not keep up is dropped:
    then `dropped` is set, and the rest of its events are gone.
    """

    def __init__(self, hub: "Hub", owner: str, job_id: str | None) -> None:
        self.owner = owner
        self.job_id = job_id
        self.dropped = asyncio.Event()
        self._hub = hub
        self._queue: asyncio.Queue[Event] = asyncio.Queue(_BACKLOG)

    async def next(self) -> Event:
        return await self._queue.get()

    def put(self, event: Event) -> None:
        if self.job_id not in (None, event.job_id):
            return
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.dropped.set()
            self.close()

    def close(self) -> None:
        self._hub.unsubscribe(self)


class Hub:
    def __init__(
        self, watcher: Watcher, streams_per_key: int, *, interval: float = _POLL_SECONDS
    ) -> None:
        self.watcher = watcher
        self._shares = Shares(streams_per_key, "event streams", retry_after=30)
        self._interval = interval
        self._subscriptions: set[Subscription] = set()
        self._history: deque[Event] = deque()
        self._history_begins = 0
        self._task: asyncio.Task[None] | None = None
        self._starting = asyncio.Lock()

    @property
    def listeners(self) -> int:
        return len(self._subscriptions)

    async def subscribe(self, owner: str, job_id: str | None = None) -> Subscription:
        """From now on, every change is heard: what is asked of Dagster afterwards, and the
        events, leave no gap. Raises OrchestratorUnavailableError, RateLimitedError.
        """
        if len(self._subscriptions) >= _MAX_STREAMS:
            raise RateLimitedError("Too many event streams are open.", retry_after=30)
        subscription = Subscription(self, owner, job_id)
        async with self._starting:
            if self._task is None:
                await self.watcher.begin()
                self._history.clear()
                self._history_begins = self.watcher.moment
                self._task = asyncio.create_task(self._watch())
            self._shares.take(owner)
            self._subscriptions.add(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
            self._shares.give_back(subscription.owner)

    def since(self, moment: int, job_id: str | None) -> list[Event] | None:
        """What happened after `moment`, if it is all remembered; else None."""
        if moment < self._history_begins:
            return None
        return [
            event
            for event in self._history
            if event.moment > moment and job_id in (None, event.job_id)
        ]

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _watch(self) -> None:
        """Ends with the last listener."""
        try:
            while self._subscriptions:
                await asyncio.sleep(self._interval)
                await self._look()
        finally:
            self._task = None

    async def _look(self) -> None:
        """Whatever fails now, the next look tells all."""
        try:
            self._publish(await self.watcher.poll())
        except FramegateError as error:
            log.warning("Dagster cannot be polled: %s", error)
        except Exception:
            log.exception("a look at Dagster failed")

    def _publish(self, events: Iterable[Event]) -> None:
        for event in events:
            self._history.append(event)
            if len(self._history) > _HISTORY:
                self._history_begins = self._history.popleft().moment
            for subscription in tuple(self._subscriptions):
                subscription.put(event)
