"""HTTP to Dagster's webserver over its Unix socket."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import httpx

from contracts.door import DAGSTER_PREFIX

#: The name is for the `Host` header only: the socket decides who is asked.
DAGSTER_URL = f"http://dagster{DAGSTER_PREFIX}"
#: The webserver closes idle connections after 5 s; letting go of them sooner means that a launch
#: is never sent down a connection that is just being closed.
_KEEPALIVE_SECONDS = 4.0


class SocketTransport(httpx.AsyncBaseTransport):
    """An httpx transport whose connections all lead to one socket.

    The socket's folder is opened at the first request, and kept open: a Unix socket's path may
    have 107 bytes only, and a path through the open folder is always short.
    """

    def __init__(self, path: Path, *, connections: int) -> None:
        self._path = path
        self._limits = httpx.Limits(
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=_KEEPALIVE_SECONDS,
        )
        self._folder: int | None = None
        self._transport: httpx.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        transport = self._transport or self._open(request)
        return await transport.handle_async_request(request)

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()
        if self._folder is not None:
            with suppress(OSError):
                os.close(self._folder)
        self._transport = self._folder = None

    def _open(self, request: httpx.Request) -> httpx.AsyncHTTPTransport:
        try:
            folder = os.open(self._path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise httpx.ConnectError(f"{self._path.name}: {error}", request=request) from error
        address = f"/proc/self/fd/{folder}/{self._path.name}"
        self._folder = folder
        self._transport = httpx.AsyncHTTPTransport(
            uds=address, limits=self._limits, trust_env=False
        )
        return self._transport


def timeouts(seconds: float) -> Mapping[str, object]:
    """The extensions of a request that may take so long to be answered."""
    return {"timeout": httpx.Timeout(seconds, connect=min(2.0, seconds)).as_dict()}
