"""How HTTP is spoken: as the server does it, but what is no HTTP gets an envelope, too."""

from secrets import token_hex

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.door.websocket import WEBSOCKET_PATH
from api.errors import InvalidRequestError, render

_MALFORMED = InvalidRequestError(
    "This is no valid HTTP request.", hint="Look at its first line and its headers."
)

_WEBSOCKET = WEBSOCKET_PATH.encode()


class EnvelopeProtocol(HttpToolsProtocol):
    def _should_upgrade(self) -> bool:
        """Elsewhere, a handshake is a request like any other, and is answered like one."""
        return self.url.partition(b"?")[0] == _WEBSOCKET and super()._should_upgrade()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - it is in the log already
        """The app never sees such a request, so that its middleware cannot answer."""
        request_id = token_hex(8)
        answer = render(_MALFORMED, request_id)
        headers = [
            *answer.raw_headers,
            (b"x-request-id", request_id.encode()),
            (b"connection", b"close"),
        ]
        lines = [b"%b: %b\r\n" % header for header in headers]
        self.transport.write(
            b"".join([b"HTTP/1.1 400 Bad Request\r\n", *lines, b"\r\n", bytes(answer.body)])
        )
        self.transport.close()
