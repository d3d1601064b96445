"""The answer that never ends by itself: events, heartbeats, and an eye on who listens."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.errors import FramegateError, UnauthorizedError
from api.events.event import Event
from api.events.hub import Subscription

_HEARTBEAT_SECONDS = 15.0
#: How soon a stream ends whose key was revoked or has expired, beside the time for which a key is
#: trusted.
_AUTHENTICATE_SECONDS = 2.0
#: A client that has not taken a piece for this long does not read any more.
_SEND_SECONDS = 30.0
_OPENING = b"retry: 3000\n\n"
_HEARTBEAT = b": alive\n\n"


class EventStream(Response):
    """Sends `backlog`, then what comes. Of one job, it ends with the job's last event; any ends
    once `authenticate` raises UnauthorizedError.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        subscription: Subscription,
        backlog: Sequence[Event],
        authenticate: Callable[[], Awaitable[object]],
        *,
        authenticate_seconds: float = _AUTHENTICATE_SECONDS,
        heartbeat_seconds: float = _HEARTBEAT_SECONDS,
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._subscription = subscription
        self._backlog = backlog
        self._authenticate = authenticate
        self._authenticate_seconds = authenticate_seconds
        self._heartbeat_seconds = heartbeat_seconds

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        refused = False
        try:
            async with anyio.create_task_group() as tasks:

                async def ending(work: Awaitable[object]) -> None:
                    await work
                    tasks.cancel_scope.cancel()

                async def refuse() -> None:
                    nonlocal refused
                    await self._until_refused()
                    refused = True

                tasks.start_soon(ending, _disconnected(receive))
                tasks.start_soon(ending, self._subscription.dropped.wait())
                tasks.start_soon(ending, refuse())
                tasks.start_soon(ending, self._stream_while_read(send))
        finally:
            self._subscription.close()
        if refused:
            await _send_last(send)

    async def _until_refused(self) -> None:
        """An error while a key is looked up does not end the stream."""
        while True:
            await asyncio.sleep(self._authenticate_seconds)
            try:
                await self._authenticate()
            except UnauthorizedError:
                return
            except FramegateError:
                continue

    async def _stream_while_read(self, send: Send) -> None:
        with suppress(TimeoutError):
            await self._stream(send)

    async def _stream(self, send: Send) -> None:
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await _send(send, _OPENING)
        told: dict[str, int] = {}
        for event in self._backlog:
            told[event.job_id] = event.moment
            await _send(send, event.encode())
            if self._is_over(event):
                break
        else:
            await self._follow(send, told)
        await _send_last(send)

    async def _follow(self, send: Send, told: dict[str, int]) -> None:
        while True:
            event = await self._next()
            if event is None:
                await _send(send, _HEARTBEAT)
                continue
            if event.moment <= told.get(event.job_id, 0):
                continue  # the backlog had it already
            await _send(send, event.encode())
            if self._is_over(event):
                return

    async def _next(self) -> Event | None:
        """None where nothing happens for a while."""
        try:
            async with asyncio.timeout(self._heartbeat_seconds):
                return await self._subscription.next()
        except TimeoutError:
            return None

    def _is_over(self, event: Event) -> bool:
        return event.is_last and self._subscription.job_id is not None


async def _send(send: Send, body: bytes) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(_SEND_SECONDS):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _send_last(send: Send) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_SEND_SECONDS):
            await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
