"""What a connection may do before the app sees a request: how large, how slow, how many."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from functools import partial
from http.client import HTTPResponse

import pytest
import uvicorn
from fastapi import FastAPI

from api.__main__ import server_config
from api.http.connections import Connections
from api.http.protocol import EnvelopeProtocol
from api.settings import Settings

PATIENCE = 60.0
ALIVE = b"GET /api/v1/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
CHUNKED = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
HALF_A_HEAD = b"GET /api/v1/health HTTP/1.1\r\nX-Half: "
HALF_A_BODY = b"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\nk"
HANDSHAKE = (
    b"GET /dagster/graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\n"
    b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
)
MOST_CONNECTIONS = 20

Connect = Callable[[], socket.socket]


class HastyProtocol(EnvelopeProtocol):
    head_seconds = 0.5
    body_seconds = 0.5


class LenientProtocol(EnvelopeProtocol):
    body_seconds = 1.5
    body_bytes = 1


@pytest.fixture
def protocol() -> type[EnvelopeProtocol]:
    return EnvelopeProtocol


@pytest.fixture
def connect(
    app: FastAPI, settings: Settings, protocol: type[EnvelopeProtocol]
) -> Iterator[Connect]:
    """A connection to the app as the stack serves it, but for the number of connections."""
    config = server_config(app, settings.model_copy(update={"port": 0}))
    config.http = partial(protocol, open_connections=Connections(MOST_CONNECTIONS))  # type: ignore[assignment]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    address = server.servers[0].sockets[0].getsockname()
    with ExitStack() as stack:
        yield lambda: stack.enter_context(socket.create_connection(address, timeout=PATIENCE))
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        pytest.param(b"GET /", b"a", id="request line"),
        pytest.param(b"GET / HTTP/1.1\r\n", b"a", id="header name"),
        pytest.param(b"GET / HTTP/1.1\r\nA: ", b"a", id="header value"),
        pytest.param(b"GET / HTTP/1.1\r\n", b"A: b\r\n", id="headers"),
        pytest.param(CHUNKED + b"1;", b"a", id="chunk extension"),
        pytest.param(CHUNKED + b"0\r\nA: ", b"a", id="trailer"),
        pytest.param(CHUNKED + b"0\r\n", b"A: b\r\n", id="trailers"),
    ],
)
def test_what_has_no_end_is_refused(connect: Connect, beginning: bytes, more: bytes) -> None:
    client = connect()
    client.sendall(beginning)
    _send_until_refused(client, more * 1000)
    status, code = _answer(client)
    assert (status, code) == (431, "INVALID_REQUEST")


def test_a_large_head_in_one_piece_is_refused(connect: Connect) -> None:
    client = connect()
    client.sendall(b"GET / HTTP/1.1\r\nA: " + b"a" * 40_000 + b"\r\n\r\n")
    assert _answer(client) == (431, "INVALID_REQUEST")


def test_a_head_of_thirty_kilobytes_is_served(connect: Connect) -> None:
    client = connect()
    client.sendall(ALIVE[:-2] + b"A: " + b"a" * 30_000 + b"\r\n\r\n")
    assert _answer(client) == (200, None)


@pytest.mark.parametrize("protocol", [HastyProtocol])
@pytest.mark.parametrize("part", [HALF_A_HEAD, HALF_A_BODY])
def test_what_does_not_come_is_not_waited_for(connect: Connect, part: bytes) -> None:
    client = connect()
    client.sendall(part)
    assert _answer(client) == (408, "INVALID_REQUEST")
    assert client.recv(1) == b""


@pytest.mark.parametrize("protocol", [HastyProtocol])
def test_who_says_nothing_is_let_go_without_a_word(connect: Connect) -> None:
    assert connect().recv(1) == b""


@pytest.mark.parametrize("protocol", [HastyProtocol])
def test_a_head_that_comes_byte_by_byte_is_not_waited_for(connect: Connect) -> None:
    client = connect()
    client.sendall(HALF_A_HEAD)
    _send_until_refused(client, b"a", pause=0.05)
    assert _answer(client) == (408, "INVALID_REQUEST")


@pytest.mark.parametrize("protocol", [LenientProtocol])
def test_a_slow_body_is_taken_while_it_keeps_coming(connect: Connect) -> None:
    """For longer than the time in which some of it must come."""
    client = connect()
    client.sendall(b"POST /nowhere HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 400\r\n\r\n")
    for _ in range(400):
        client.sendall(b"a")
        time.sleep(0.01)
    assert _answer(client) == (404, "NOT_FOUND")
    client.sendall(ALIVE)
    assert _answer(client) == (200, None)


def test_liveness_is_answered_however_many_send_half_a_request(connect: Connect) -> None:
    halves = (b"", HALF_A_HEAD, HALF_A_BODY)
    for number in range(5 * MOST_CONNECTIONS):
        connect().sendall(halves[number % len(halves)])
        if number % MOST_CONNECTIONS == 0:
            client = connect()
            client.sendall(ALIVE)
            assert _answer(client) == (200, None)


def test_a_request_may_come_a_little_early(connect: Connect) -> None:
    client = connect()
    client.sendall(ALIVE + ALIVE[:-2] + b"Connection: close\r\n\r\n")
    with client.makefile("rb") as answers:
        assert answers.read().count(b"HTTP/1.1 200 OK") == 2


def test_requests_ahead_of_their_turn_are_left_to_be_sent_again(connect: Connect) -> None:
    client = connect()
    client.sendall(ALIVE * 1000)
    assert _answer(client) == (200, None)
    assert client.recv(1) == b""


@pytest.mark.parametrize(
    "header", [b"A: " + b"a" * 10_000, b"\r\n".join([b"A: b"] * 200), b"Content-Length: 3"]
)
def test_a_handshake_that_no_web_socket_takes_is_answered(connect: Connect, header: bytes) -> None:
    client = connect()
    client.sendall(HANDSHAKE + header + b"\r\n\r\n")
    assert _answer(client) == (400, "INVALID_REQUEST")
    assert client.recv(1) == b""


def test_a_handshake_has_the_limits_of_a_request(connect: Connect) -> None:
    client = connect()
    client.sendall(HANDSHAKE)
    _send_until_refused(client, b"A: b\r\n" * 1000)
    assert _answer(client) == (431, "INVALID_REQUEST")


def _send_until_refused(client: socket.socket, piece: bytes, pause: float = 0.0) -> None:
    """Never more than a megabyte, so that a server without limits fails the test."""
    client.settimeout(pause or 0.001)
    for _ in range(1_000_000 // max(len(piece), 1000)):
        with suppress(TimeoutError):
            if client.recv(1, socket.MSG_PEEK):
                break
        client.sendall(piece)
    client.settimeout(PATIENCE)


def _answer(client: socket.socket) -> tuple[int, str | None]:
    answer = HTTPResponse(client)
    answer.begin()
    body = json.loads(answer.read())
    return answer.status, body.get("error", {}).get("code")
