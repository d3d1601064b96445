"""How HTTP is spoken: as the server does it, but within limits, and what is refused before the app
sees it gets an envelope, too.
"""

import asyncio
from enum import Enum
from secrets import token_hex
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.door.websocket import WEBSOCKET_PATH
from api.errors import (
    FramegateError,
    HeadTooLargeError,
    InvalidRequestError,
    RequestTimeoutError,
    render,
)
from api.http.connections import Connections

_MALFORMED = InvalidRequestError(
    "This is not a valid HTTP request.", hint="Check its first line and its headers."
)
_AHEAD = InvalidRequestError("Requests came before the last one was answered.")

_WEBSOCKET = WEBSOCKET_PATH.encode()

#: As RFC 9113, 6.5.2, counts headers: what holding one takes beyond its text.
_HEADER_BYTES = 32


class _Part(Enum):
    """The part of a request that is being received."""

    NONE = 0
    HEAD = 1
    BODY = 2


class _RefusedError(Exception):
    """Stops the parser; `_refusal` says why."""


class EnvelopeProtocol(HttpToolsProtocol):
    """A head has a size and a time, and of a body something has to come all the while.

    One request may come while the last is being answered: a client can have all of an answer a
    moment before we know. With more of them (pipelining, RFC 9112, 9.3.2) the connection ends with
    the answer under way, and they are left to be sent again.
    """

    max_head_bytes = 32 * 1024
    head_seconds = 30.0
    #: So much of a body in so many seconds; the slowest modem brings ten times as much.
    body_bytes = 16 * 1024
    body_seconds = 60.0

    def __init__(self, *arguments: Any, open_connections: Connections, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._open = open_connections
        self._part = _Part.NONE
        self._answered: RequestResponseCycle | None = None
        self._refusal: FramegateError = _MALFORMED
        self._timer: asyncio.TimerHandle | None = None
        self._head_size = 0
        self._body_size = 0
        #: Bytes since the parser last found anything whole: of a long value, all but the last.
        self._unparsed = 0
        self._is_deaf = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._open.admit(transport, len(self.connections))
        self._start_timer(self.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self._open.keep(self.transport)
        self._tell_app()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_deaf or self.transport.is_closing():
            return
        self._unparsed += len(data)
        super().data_received(data)
        if self._unparsed > self.max_head_bytes:
            self._refuse(_too_large(self.max_head_bytes))
        self._note_whose_move_it_is()

    def handle_websocket_upgrade(self) -> None:
        self._is_deaf = True
        self._open.keep(self.transport)
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it is in the log already
        self._refuse(self._refusal)

    def on_message_begin(self) -> None:
        self._head_size = self._unparsed = 0
        if self.pipeline:
            self._stop_parser(_AHEAD)
        self._part = _Part.HEAD
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count_head(len(name) + len(value) + _HEADER_BYTES)
        if self._part is _Part.HEAD:  # what comes after a body is not looked at
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._stop_timer()
        self._part = _Part.BODY
        self._body_size = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unparsed = 0
        self._body_size += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._stop_timer()
        self._part = _Part.NONE
        self._unparsed = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._note_whose_move_it_is()

    @property
    def _is_answering(self) -> bool:
        return self._answered is not None and not self._answered.response_complete

    def _should_upgrade(self) -> bool:
        """Elsewhere, a handshake is a request like any other, and is answered like one."""
        return self.url.partition(b"?")[0] == _WEBSOCKET and super()._should_upgrade()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def _count_head(self, size: int) -> None:
        self._unparsed = 0
        self._head_size += size
        if self._head_size > self.max_head_bytes:
            self._stop_parser(_too_large(self.max_head_bytes))

    def _stop_parser(self, refusal: FramegateError) -> None:
        self._refusal = refusal
        raise _RefusedError

    def _note_whose_move_it_is(self) -> None:
        if self._is_deaf or self.transport.is_closing():
            return
        if self._part is _Part.NONE and self._is_answering:
            self._open.keep(self.transport)
            return
        self._open.wait_for(self.transport)
        if self._part is not _Part.NONE and self._timer is None:
            is_head = self._part is _Part.HEAD
            self._start_timer(self.head_seconds if is_head else self.body_seconds)

    def _start_timer(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._time_out)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _time_out(self) -> None:
        self._timer = None
        keeps_coming = self._body_size >= self.body_bytes or self.flow.read_paused
        if self._part is _Part.NONE:  # nothing ever came
            self.transport.close()
        elif self._part is _Part.BODY and keeps_coming:
            self._body_size = 0
            self._start_timer(self.body_seconds)
        else:
            self._refuse(RequestTimeoutError("The request did not arrive in time."))

    def _refuse(self, error: FramegateError) -> None:
        """Ends the connection, with an answer unless one was begun. An answer to an earlier
        request is finished first.
        """
        is_of_answered = self._part is _Part.BODY and self.cycle is self._answered
        if self._answered and self._is_answering and not is_of_answered:
            self._is_deaf = True
            self._answered.keep_alive = False
            self.pipeline.clear()
            return
        self._tell_app()
        if not (is_of_answered and self.cycle.response_started):
            self.transport.write(_answer(error))
        self.transport.close()

    def _tell_app(self) -> None:
        """Whatever it still does for this connection, nobody waits for it."""
        if self._answered and self._is_answering:
            self._answered.disconnected = True
            self._answered.message_event.set()


class EnvelopeWebSocketProtocol(WebSocketsSansIOProtocol):
    def data_received(self, data: bytes) -> None:
        """A handshake can be good HTTP and yet not be taken, for a body or a line of 9,000 bytes:
        the server alone would leave it without an answer for good.
        """
        super().data_received(data)
        if self.conn.handshake_exc and not (
            self.handshake_initiated or self.transport.is_closing()
        ):
            self.transport.write(_answer(_MALFORMED))
            self.transport.close()


def _too_large(limit: int) -> HeadTooLargeError:
    return HeadTooLargeError(
        f"The request's line and headers are larger than {limit} bytes.",
        hint="Send what is long in the body.",
    )


def _answer(error: FramegateError) -> bytes:
    """The app never sees such a request, so that its middleware cannot answer."""
    request_id = token_hex(8)
    answer = render(error, request_id)
    headers = [
        *answer.raw_headers,
        (b"x-request-id", request_id.encode()),
        (b"connection", b"close"),
    ]
    lines = [b"%b: %b\r\n" % header for header in headers]
    return b"".join([STATUS_LINE[error.status], *lines, b"\r\n", bytes(answer.body)])
