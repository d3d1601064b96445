"""One question to Dagster's webserver: sends a GraphQL document, and turns every way of not being
answered into an error of ours.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx

from api.dagster.socket import timeouts
from api.errors import InternalServerError, OrchestratorSilentError, OrchestratorUnavailableError

#: Reading makes small files, too.
_DISK_FULL = (
    *("database or disk is full", "disk I/O error", "unable to open database file"),
    "No space left on device",  # PostgreSQL's
)
_CHECK_STACK = "Check that the stack is up: `framegate doctor`."


class GraphqlTransport:
    """Hands requests to httpx's transport itself: what its client does beside (cookies, redirects,
    authentication, decompression) is not needed here, and takes as long again.
    """

    def __init__(self, url: str, *, timeout: float, transport: httpx.AsyncBaseTransport) -> None:
        self._url = httpx.URL(f"{url}/graphql")
        self._timeout = timeout
        self._extensions = timeouts(timeout)
        self._transport = transport

    async def close(self) -> None:
        await self._transport.aclose()

    async def ask(self, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """The `data` of the answer. Waiting for a connection, sending and reading together take no
        longer than the timeout.

        Raises:
            OrchestratorUnavailableError: nobody is there.
            OrchestratorSilentError: no answer came (in time), or none of Dagster's; the question
                may have been sent.
            InternalServerError: the answer is not what this version of Framegate expects.
        """
        question = {"query": document, "variables": variables}
        request = httpx.Request("POST", self._url, json=question, extensions=self._extensions)
        try:
            async with asyncio.timeout(self._timeout):
                response = await self._transport.handle_async_request(request)
                await response.aread()
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            raise OrchestratorUnavailableError(
                "Dagster cannot be reached.", hint=_CHECK_STACK
            ) from error
        except (TimeoutError, httpx.TimeoutException) as error:
            raise OrchestratorSilentError(
                "Dagster does not answer in time.", hint=_CHECK_STACK
            ) from error
        except httpx.TransportError as error:
            raise OrchestratorSilentError(
                "Dagster closed the connection without an answer.", hint=_CHECK_STACK
            ) from error
        return _data(response)


def is_disk_full(message: str) -> bool:
    """Whether Dagster's own words are SQLite's for a disk without room."""
    return any(words in message for words in _DISK_FULL)


def disk_is_full() -> OrchestratorSilentError:
    """It may have done part of what it was asked for."""
    return OrchestratorSilentError(
        "Dagster's database cannot be used: the disk is full.",
        hint="Free some space, then try again.",
    )


def _data(response: httpx.Response) -> dict[str, Any]:
    try:
        answer = response.json()
    except ValueError as error:
        raise OrchestratorSilentError(
            f"Dagster's webserver answers with HTTP {response.status_code} and no JSON.",
            hint=_CHECK_STACK,
        ) from error
    if is_disk_full(_messages(answer)):
        raise disk_is_full()
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), dict):
        raise InternalServerError(f"Dagster refused the query: {_messages(answer)}")
    if answer.get("errors"):
        raise InternalServerError(f"Dagster failed on the query: {_messages(answer)}")
    return dict(answer["data"])


def _messages(answer: object) -> str:
    errors = answer.get("errors") if isinstance(answer, dict) else None
    return "; ".join(str(error.get("message")) for error in errors or [])[:500] or "no reason given"
