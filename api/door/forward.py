"""Hands a judged HTTP request to Dagster's socket, and the answer back as it comes."""

import httpx
from starlette.responses import Response, StreamingResponse

from api.dagster.socket import DAGSTER_URL, timeouts
from api.errors import OrchestratorSilentError, OrchestratorUnavailableError

#: What Dagster may know of the client's request beside what was judged.
REQUEST_HEADERS = (
    *("accept", "accept-encoding", "accept-language", "user-agent"),
    *("if-none-match", "if-modified-since", "if-range", "range"),
)
#: They are about one connection (RFC 9110, 7.6.1), or ours to say.
_DROPPED = frozenset(
    {
        *(b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"),
        *(b"date", b"server", b"set-cookie"),
    }
)
_CHECK_STACK = "Check that the stack is up: `framegate doctor`."
#: The UI asks for pages that take long on a long history.
_TIMEOUT = 120.0


def dagster_request(
    method: str, target: str, headers: dict[str, str], body: bytes | None = None
) -> httpx.Request:
    """`target` is a path below Dagster's prefix, with its query string."""
    return httpx.Request(
        method,
        f"{DAGSTER_URL}{target}",
        headers=headers,
        content=body,
        extensions=timeouts(_TIMEOUT),
    )


async def forward(transport: httpx.AsyncBaseTransport, request: httpx.Request) -> Response:
    """Raises OrchestratorUnavailableError."""
    try:
        answer = await transport.handle_async_request(request)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise OrchestratorUnavailableError(
            "The Dagster UI cannot be reached.", hint=_CHECK_STACK
        ) from error
    except httpx.TransportError as error:
        raise OrchestratorSilentError(
            "The Dagster UI does not answer.", hint=_CHECK_STACK
        ) from error
    response = StreamingResponse(answer.aiter_raw(), answer.status_code)
    response.raw_headers = [
        (name.lower(), value) for name, value in answer.headers.raw if name.lower() not in _DROPPED
    ]
    return response
