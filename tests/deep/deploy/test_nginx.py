"""A real nginx with the configuration as it is delivered; only ports and paths differ."""

import asyncio
import getpass
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from api.__main__ import server_config
from api.settings import Settings
from contracts.project import PROJECT
from tests.ports import free_port

CONFIGURATION = PROJECT / "deploy" / "nginx" / "framegate.conf"
UPLOAD_BYTES = Settings.model_fields["max_upload_bytes"].default
_SECONDS = 60.0

pytestmark = pytest.mark.skipif(
    not (shutil.which("nginx") and shutil.which("openssl")), reason="needs nginx and openssl"
)


@dataclass
class Upstream:
    """Served as the API is, behind the proxy; what a test waits for is an event here."""

    port: int = field(default_factory=free_port)
    half_came: threading.Event = field(default_factory=threading.Event)
    event_came: threading.Event = field(default_factory=threading.Event)

    def app(self) -> FastAPI:
        app = FastAPI()

        @app.get("/client")
        async def _client(request: Request) -> list[str]:
            host = request.client.host if request.client else ""
            return [host, request.url.scheme, request.headers["host"]]

        @app.post("/announced")
        async def _announced(request: Request) -> str:
            return request.headers["content-length"]

        @app.post("/upload")
        async def _upload(request: Request) -> int:
            size = 0
            async for chunk in request.stream():
                size += len(chunk)
                self.half_came.set()
            return size

        @app.get("/events")
        async def _events() -> StreamingResponse:
            async def events() -> AsyncIterator[str]:
                yield "event: first\n\n"
                await asyncio.to_thread(self.event_came.wait, _SECONDS)
                yield "event: second\n\n"

            return StreamingResponse(events(), media_type="text/event-stream")

        return app


@dataclass(frozen=True)
class Proxy:
    port: int
    plain_port: int
    folder: Path


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    upstream = Upstream()
    settings = Settings.model_validate({"port": upstream.port, "trusted_proxies": ["127.0.0.1"]})
    server = uvicorn.Server(server_config(upstream.app(), settings))
    thread = threading.Thread(target=server.run)
    thread.start()
    yield upstream
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def proxy(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx, started."""
    folder = tmp_path_factory.mktemp("nginx")
    proxy = Proxy(free_port(), free_port(), folder)
    _make_secrets(folder)
    text = CONFIGURATION.read_text()
    for old, new in {
        "/etc/ssl/framegate/": f"{folder}/",
        "/etc/nginx/": f"{folder}/",
        "/var/log/nginx/": f"{folder}/",
        "127.0.0.1:8000": f"127.0.0.1:{upstream.port}",
        "listen 443": f"listen 127.0.0.1:{proxy.port}",
        "listen 80": f"listen 127.0.0.1:{proxy.plain_port}",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "nginx.conf").write_text(
        f"daemon off;\nuser {getpass.getuser()};\npid {folder}/pid;\nerror_log stderr;\n"
        "events {}\nhttp {\n"
        f"client_body_temp_path {folder}/bodies;\nproxy_temp_path {folder}/answers;\n{text}}}\n"
    )
    with subprocess.Popen(
        ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]  # noqa: S607
    ) as process:
        try:
            _wait_for(proxy.port)
            yield proxy
        finally:
            process.terminate()


@pytest.fixture
def client(proxy: Proxy) -> Iterator[httpx.Client]:
    """Speaks to nginx as to the host of the configuration."""
    context = ssl.create_default_context(cafile=str(proxy.folder / "fullchain.pem"))
    with httpx.Client(
        base_url=f"https://framegate.example.org:{proxy.port}",
        transport=_ToLoopback(verify=context),
        timeout=_SECONDS,
    ) as client:
        yield client


class _ToLoopback(httpx.HTTPTransport):
    """As if the name led here."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions["sni_hostname"] = request.url.host
        request.url = request.url.copy_with(host="127.0.0.1")
        return super().handle_request(request)


def _make_secrets(folder: Path) -> None:
    names = "subjectAltName=DNS:framegate.example.org"
    command = [
        *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
        *("-subj", "/CN=framegate.example.org", "-addext", names),
        *("-keyout", str(folder / "key.pem"), "-out", str(folder / "fullchain.pem")),
    ]
    subprocess.run(command, check=True, capture_output=True)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        else:
            return


def test_framegate_learns_who_asks_and_how_whatever_the_client_claims(
    client: httpx.Client, proxy: Proxy
) -> None:
    claims = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "ftp"}
    answer = client.get("/client", headers=claims)

    assert answer.json() == ["127.0.0.1", "https", f"framegate.example.org:{proxy.port}"]


def test_an_upload_is_handed_on_while_it_comes(client: httpx.Client, upstream: Upstream) -> None:
    def body() -> Iterator[bytes]:
        yield bytes(1000)
        assert upstream.half_came.wait(_SECONDS)
        yield bytes(1000)

    assert client.post("/upload", content=body()).json() == 2000


def test_the_largest_upload_is_let_through(client: httpx.Client, proxy: Proxy) -> None:
    """Announced only: nginx refuses what is too large before it has come."""
    announced = [UPLOAD_BYTES + 1_000_000, 10 * UPLOAD_BYTES]
    answers = [_announce(proxy, size) for size in announced]

    assert client.get("/client").is_success
    assert [answer.split()[1] for answer in answers] == ["200", "413"]


def _announce(proxy: Proxy, size: int) -> str:
    """The first line of the answer."""
    context = ssl.create_default_context(cafile=str(proxy.folder / "fullchain.pem"))
    host = "framegate.example.org"
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname=host) as connection,
    ):
        head = f"POST /announced HTTP/1.1\r\nHost: {host}\r\nContent-Length: {size}\r\n\r\n"
        connection.sendall(head.encode())
        return connection.recv(1000).decode().splitlines()[0]


def test_an_event_comes_when_it_happens(client: httpx.Client, upstream: Upstream) -> None:
    with client.stream("GET", "/events") as answer:
        lines = answer.iter_lines()
        assert next(lines) == "event: first"
        upstream.event_came.set()
        assert "event: second" in list(lines)


def test_no_key_gets_into_the_log(client: httpx.Client, proxy: Proxy) -> None:
    client.get("/client", params={"token": "fg_secret"}, headers={"X-API-Key": "fg_other"})
    log = proxy.folder / "framegate.log"

    assert '"GET /client" 200' in log.read_text()
    assert "fg_" not in log.read_text()


def test_a_web_socket_comes_through(proxy: Proxy) -> None:
    """It is answered by the upstream, which has none."""
    context = ssl.create_default_context(cafile=str(proxy.folder / "fullchain.pem"))
    with (
        socket.create_connection(("127.0.0.1", proxy.port), timeout=_SECONDS) as plain,
        pytest.raises(InvalidStatus) as refused,
        connect("wss://framegate.example.org/dagster/graphql", sock=plain, ssl=context, proxy=None),
    ):
        pass

    assert refused.value.response.status_code == 403


def test_plain_http_leads_to_https(proxy: Proxy) -> None:
    answer = httpx.get(
        f"http://127.0.0.1:{proxy.plain_port}/docs",
        headers={"Host": "framegate.example.org"},
        trust_env=False,
    )

    assert answer.status_code == 301
    assert answer.headers["Location"] == "https://framegate.example.org/docs"
