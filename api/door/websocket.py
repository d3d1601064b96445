"""Dagster's GraphQL over WebSocket: each message is judged, and the session looked at again.

Two protocols are in use, told apart by their messages: `subscriptions-transport-ws`, whose
subprotocol is called graphql-ws and which Dagster speaks, and `graphql-transport-ws`.
"""

import asyncio
import json
from contextlib import suppress
from secrets import token_hex
from typing import Any

from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from websockets.asyncio.client import ClientConnection, unix_connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from api.auth.audit import record
from api.dependencies import Services
from api.door.question import read_question
from api.door.visitor import Visitor, identify, require_engineer
from api.errors import FramegateError, InvalidRequestError, OrchestratorUnavailableError, render
from contracts.door import DAGSTER_PREFIX
from contracts.socket_address import socket_address
from contracts.strict_json import StrictJsonError, parse_json

WEBSOCKET_PATH = f"{DAGSTER_PREFIX}/graphql"
_SUBPROTOCOLS = ("graphql-ws", "graphql-transport-ws")
#: Messages that carry a question, and those that carry none.
_ASKING = frozenset({"start", "subscribe"})
_PLAIN = frozenset({"connection_init", "connection_terminate", "stop", "complete", "ping", "pong"})
#: RFC 6455, 7.4.1: a message that is not allowed, and a server that is going away.
_NOT_ALLOWED = 1008
_GONE = 1001
_CHECK_SECONDS = 2.0
_OPEN_SECONDS = 5.0
#: Control frames take a close's reason of 123 bytes at most.
_REASON_LENGTH = 120


async def serve_websocket(services: Services, scope: Scope, receive: Receive, send: Send) -> None:
    client = WebSocket(scope, receive, send)
    try:
        services.origins.check_page(client.headers, client.url.scheme)
        visitor = await identify(services, client)
        with services.sockets.hold(visitor.principal.name):
            async with await _connect(services, visitor, scope["subprotocols"]) as dagster:
                await client.accept(subprotocol=dagster.subprotocol)
                await _relay(services, client, dagster)
    except FramegateError as error:  # before it was accepted: after that, the relay says why
        await client.send_denial_response(render(error, token_hex(8)))


def judged_message(text: str, visitor: Visitor) -> tuple[str, tuple[str, ...]]:
    """The message as Dagster gets it, written anew, and the mutations in it.

    Raises FramegateError.
    """
    try:
        message = parse_json(text.encode())
    except StrictJsonError as error:
        raise InvalidRequestError(str(error)) from error
    kind = message.get("type") if isinstance(message, dict) else None
    if kind not in _ASKING | _PLAIN:
        raise InvalidRequestError("This is not a message of GraphQL over WebSocket.")
    judged: dict[str, Any] = {"type": kind}
    mutations: tuple[str, ...] = ()
    if isinstance(message.get("id"), str):
        judged["id"] = message["id"]
    if kind in _ASKING:
        question = read_question(message.get("payload"))
        if question.changes:
            require_engineer(visitor)
        judged["payload"], mutations = question.fields(), question.mutations
    return json.dumps(judged), mutations


async def _connect(services: Services, visitor: Visitor, offered: list[str]) -> ClientConnection:
    """Raises OrchestratorUnavailableError."""
    known = [Subprotocol(name) for name in _SUBPROTOCOLS if name in offered]
    try:
        with socket_address(services.home.webserver_socket) as address:
            return await unix_connect(
                address,
                f"ws://dagster{WEBSOCKET_PATH}",
                subprotocols=known or None,
                additional_headers=visitor.headers(),
                compression=None,
                open_timeout=_OPEN_SECONDS,
                max_size=None,
                proxy=None,
            )
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise OrchestratorUnavailableError(
            "The Dagster UI cannot be reached, or does not speak this protocol.",
            hint="Offer the subprotocol graphql-ws.",
        ) from error


async def _relay(services: Services, client: WebSocket, dagster: ClientConnection) -> None:
    """Until either side hangs up, or the session ends."""
    tasks = [
        asyncio.create_task(work)
        for work in (
            _ask(services, client, dagster),
            _answer(client, dagster),
            _watch_session(services, client),
        )
    ]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    refusal = next((task.exception() for task in done if task.exception()), None)
    if refusal is not None and not isinstance(refusal, FramegateError):
        raise refusal
    code = _NOT_ALLOWED if refusal else _GONE
    with suppress(RuntimeError):  # the client has hung up
        await client.close(code, str(refusal or "")[:_REASON_LENGTH])


async def _ask(services: Services, client: WebSocket, dagster: ClientConnection) -> None:
    while (received := await client.receive())["type"] != "websocket.disconnect":
        text = received.get("text")
        if text is None:
            raise InvalidRequestError("GraphQL over WebSocket is text.")
        visitor = await identify(services, client)
        try:
            message, mutations = judged_message(text, visitor)
            if mutations:
                await record(
                    services.home, client, visitor.principal, "ui.change", changes=mutations
                )
            await dagster.send(message)
        except ConnectionClosed:
            return


async def _answer(client: WebSocket, dagster: ClientConnection) -> None:
    with suppress(RuntimeError):  # the client has hung up
        async for message in dagster:
            await client.send_text(message if isinstance(message, str) else message.decode())


async def _watch_session(services: Services, client: WebSocket) -> None:
    """Raises FramegateError once the visitor's key is revoked or they signed out."""
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        await identify(services, client)
