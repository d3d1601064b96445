"""How the API is served: its socket, and whom it takes a request to come from."""

import socket
from collections.abc import Awaitable, Callable
from contextlib import closing
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
