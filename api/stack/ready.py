"""Whether a part of the stack does its work yet. Each answer is None, or what is still missing."""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from api.dagster.socket import DAGSTER_URL, SocketTransport
from contracts.socket_address import socket_address

_TIMEOUT_SECONDS = 5.0
_LOCATIONS = """{
  workspaceOrError { ... on Workspace { locationEntries {
    name locationOrLoadError { __typename ... on PythonError { message } } } } }
}"""
_HEARTBEATS = """{
  instance { daemonHealth { allDaemonStatuses { daemonType required lastHeartbeatTime } } }
}"""


async def socket_accepts(path: Path) -> str | None:
    try:
        with socket_address(path) as address:
            _, writer = await asyncio.open_unix_connection(address)
    except OSError:
        return "its socket accepts no connection"
    writer.close()
    with suppress(OSError):
        await writer.wait_closed()
    return None


async def api_answers(url: str) -> str | None:
    return None if await _ask("GET", f"{url}/api/v1/health") else "it does not answer"


@dataclass(frozen=True)
class Dagster:
    """What the webserver that listens at `socket` knows of itself and of the daemons.

    Heartbeats older than this object belong to a stack that is gone.
    """

    socket: Path
    created_at: float = field(default_factory=time.time)

    async def has_loaded(self) -> str | None:
        answer = await self._query(_LOCATIONS)
        if answer is None:
            return "it does not answer"
        entries = answer["workspaceOrError"].get("locationEntries", [])
        loaded = [entry["locationOrLoadError"] or {} for entry in entries]
        if loaded and all(entry.get("__typename") == "RepositoryLocation" for entry in loaded):
            return None
        messages = [entry["message"].strip() for entry in loaded if "message" in entry]
        return f"the pipelines are not loaded: {' '.join(messages) or 'no answer yet'}"

    async def daemons_beat(self) -> str | None:
        answer = await self._query(_HEARTBEATS)
        if answer is None:
            return "the webserver does not answer"
        silent = [
            status["daemonType"]
            for status in answer["instance"]["daemonHealth"]["allDaemonStatuses"]
            if status["required"] and (status["lastHeartbeatTime"] or 0.0) < self.created_at
        ]
        return f"no heartbeat from {', '.join(silent)}" if silent else None

    async def _query(self, query: str) -> dict[str, Any] | None:
        transport = SocketTransport(self.socket, connections=1)
        response = await _ask(
            "POST", f"{DAGSTER_URL}/graphql", transport=transport, json={"query": query}
        )
        data: dict[str, Any] | None = response.json().get("data") if response else None
        return data


async def _ask(
    method: str, url: str, *, transport: httpx.AsyncBaseTransport | None = None, **arguments: Any
) -> httpx.Response | None:
    """The answer if it is a good one. Proxies of the environment are for other machines."""
    async with httpx.AsyncClient(
        transport=transport, trust_env=False, timeout=_TIMEOUT_SECONDS
    ) as client:
        try:
            response = await client.request(method, url, **arguments)
        except httpx.HTTPError:
            return None
    return response if response.is_success else None
