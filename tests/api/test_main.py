"""How the API is served: its socket, and whom it takes a request to come from."""

import json
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from http.client import HTTPResponse
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request

from api.__main__ import listen, server_config
from api.settings import Settings

PATIENCE = 60.0
PROXY = "10.1.2.3"
FORWARDED = {"X-Forwarded-For": "203.0.113.9, 198.51.100.7", "X-Forwarded-Proto": "https"}

Seen = Callable[..., Awaitable[list[str]]]


@pytest.fixture
def seen(tmp_path: Path) -> Seen:
    """What the app takes for client and scheme of a request that names others in its headers."""
    app = FastAPI()

    @app.get("/")
    async def _client(request: Request) -> list[str]:
        return [request.client.host if request.client else "", request.url.scheme]

    async def ask(*trusted: str, connected_from: str) -> list[str]:
        settings = Settings.model_validate({"home": tmp_path, "trusted_proxies": trusted})
        config = server_config(app, settings)
        config.load()
        transport = httpx.ASGITransport(config.loaded_app, client=(connected_from, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://framegate") as client:
            answer: list[str] = (await client.get("/", headers=FORWARDED)).json()
            return answer

    return ask


def test_a_connection_whose_other_side_never_reads_ends_by_itself() -> None:
    config = uvicorn.Config(FastAPI(), host="127.0.0.1", port=0, log_config=None)
    with closing(listen(config, deaf_seconds=0.5)) as listener, socket.socket() as deaf:
        listener.listen()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(listener.getsockname())
        connection, _address = listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            with pytest.raises(TimeoutError) as ended:
                connection.sendall(bytes(64 * 1024**2))
    assert ended.value.errno is not None, "the connection went on until the test lost patience"


@pytest.fixture
def served(app: FastAPI, settings: Settings) -> Iterator[int]:
    """The app on a real socket, as the stack serves it; the port."""
    server = uvicorn.Server(server_config(app, settings.model_copy(update={"port": 0})))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    thread.join()


@pytest.mark.parametrize(
    "request_text",
    ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nno header\r\n\r\n", "BREW /pot HTTP/1.1\r\n\r\n"],
)
def test_what_is_no_http_gets_an_envelope(served: int, request_text: str) -> None:
    with socket.create_connection(("127.0.0.1", served), timeout=PATIENCE) as client:
        client.sendall(request_text.encode())
        answer = HTTPResponse(client)
        answer.begin()
        body = json.loads(answer.read())
        assert client.recv(1) == b""
    assert answer.status == 400
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Request-ID"]
    assert body["error"]["code"] == "INVALID_REQUEST"
    assert body["detail"] == body["error"]["message"]


def test_a_web_socket_is_refused_as_any_request_is(served: int) -> None:
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
    }
    with httpx.Client(base_url=f"http://127.0.0.1:{served}", trust_env=False) as client:
        answer = client.get("/api/v1/jobs", headers=upgrade)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "UNAUTHORIZED"


@pytest.mark.anyio
async def test_nobody_is_believed_to_forward_unless_named(seen: Seen) -> None:
    for address in ("127.0.0.1", "::1", PROXY):
        assert await seen(connected_from=address) == [address, "http"]


@pytest.mark.anyio
async def test_a_trusted_proxy_names_the_client(seen: Seen) -> None:
    """The last address in the list is the one that the proxy itself has seen."""
    assert await seen(PROXY, connected_from=PROXY) == ["198.51.100.7", "https"]


@pytest.mark.anyio
async def test_a_network_of_proxies_is_trusted_through_the_whole_chain(seen: Seen) -> None:
    chain = ("10.0.0.0/8", "198.51.100.7")

    assert await seen(*chain, connected_from=PROXY) == ["203.0.113.9", "https"]


@pytest.mark.anyio
async def test_another_address_than_the_proxys_is_not_believed(seen: Seen) -> None:
    assert await seen(PROXY, connected_from="10.1.2.4") == ["10.1.2.4", "http"]


@pytest.mark.parametrize("proxies", [["*"], ["proxy.example"], ["10.1.2.3/8"]])
def test_a_proxy_is_named_by_address_or_network(proxies: list[str]) -> None:
    with pytest.raises(ValueError, match="trusted_proxies"):
        Settings.model_validate({"trusted_proxies": proxies})


def test_authentication_is_never_off_behind_a_proxy() -> None:
    with pytest.raises(ValueError, match="behind a proxy"):
        Settings.model_validate({"auth": "off", "trusted_proxies": [PROXY]})
