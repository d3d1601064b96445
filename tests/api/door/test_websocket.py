"""Dagster's WebSocket behind the door: judged message by message."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from api.dependencies import Services
from tests.api.door.conftest import Upstream
from tests.api.door.documents import MUTATIONS, NOT_UNDERSTOOD, QUERIES

SecretOf = Callable[..., str]
#: The subprotocol and what asks a question in it.
PROTOCOLS = [("graphql-ws", "start"), ("graphql-transport-ws", "subscribe")]


@contextmanager
def opened(
    served: str,
    key: str | None,
    *,
    subprotocol: str = "graphql-ws",
    origin: str | None = None,
    path: str = "/dagster/graphql",
    headers: Mapping[str, str] | None = None,
) -> Iterator[ClientConnection]:
    given = {"X-API-Key": key} if key else {}
    with connect(
        f"ws://{served}{path}",
        subprotocols=[Subprotocol(subprotocol)],
        origin=Origin(origin) if origin else None,
        additional_headers=given | dict(headers or {}),
        proxy=None,
    ) as connection:
        yield connection


def ask(connection: ClientConnection, kind: str, document: str) -> Any:
    message = {"type": kind, "id": "1", "payload": {"query": document}}
    connection.send(json.dumps(message))
    return json.loads(connection.recv(timeout=30))


@pytest.mark.parametrize(("subprotocol", "kind"), PROTOCOLS)
def test_a_reader_may_subscribe(
    served: str, secret_of: SecretOf, upstream: Upstream, subprotocol: str, kind: str
) -> None:
    with opened(served, secret_of("reader"), subprotocol=subprotocol) as connection:
        assert connection.subprotocol == subprotocol
        for document in QUERIES.values():
            assert ask(connection, kind, document)["payload"]["query"] == document
    [handshake] = upstream.reached
    assert handshake.path == "/dagster/graphql"
    assert handshake.headers["framegate-access"] == "read"
    assert "x-api-key" not in handshake.headers


@pytest.mark.parametrize(("subprotocol", "kind"), PROTOCOLS)
def test_a_mutation_of_a_reader_ends_the_connection(
    served: str, secret_of: SecretOf, upstream: Upstream, subprotocol: str, kind: str
) -> None:
    key = secret_of("reader")
    for document in MUTATIONS.values():
        with (
            opened(served, key, subprotocol=subprotocol) as connection,
            pytest.raises(ConnectionClosed, match=r"1008.*engineer"),
        ):
            ask(connection, kind, document)
    assert upstream.messages == []


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[]",
        '"start"',
        "{}",
        '{"type": "data"}',
        '{"type": "START", "payload": {"query": "{ version }"}}',
        '{"type": "start"}',
        '{"type": "start", "payload": [{"query": "{ version }"}]}',
        '{"type": "stop", "type": "start", "payload": {"query": "mutation { x }"}}',
        json.dumps({"type": "start", "payload": {"query": NOT_UNDERSTOOD["half a document"]}}),
        b"binary",
    ],
)
def test_what_cannot_be_understood_ends_the_connection(
    served: str, secret_of: SecretOf, upstream: Upstream, message: str | bytes
) -> None:
    with opened(served, secret_of("admin")) as connection:
        connection.send(message)
        with pytest.raises(ConnectionClosed, match="1008"):
            connection.recv(timeout=30)
    assert upstream.messages == []


def test_a_key_has_its_share_of_web_sockets(
    served: str, secret_of: SecretOf, services: Services, upstream: Upstream
) -> None:
    key = secret_of("reader")
    with ExitStack() as sockets:
        for _ in range(services.settings.streams_per_key):
            services.sockets.take("reader")
        with pytest.raises(InvalidStatus) as refused:
            sockets.enter_context(opened(served, key))
        assert refused.value.response.status_code == 429
        assert refused.value.response.headers["Retry-After"]
        sockets.enter_context(opened(served, secret_of("annotator")))
    assert len(upstream.reached) == 1


@pytest.mark.usefixtures("upstream")
def test_messages_are_written_anew(served: str, secret_of: SecretOf) -> None:
    with opened(served, secret_of("reader")) as connection:
        connection.send('{"type": "connection_init", "payload": {"token": "x"}, "more": 1}')
        assert json.loads(connection.recv(timeout=30)) == {"type": "connection_init"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1:1"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"X-API-Key": "fg_wrong_key"}, 401),
        ({"X-API-Key": ""}, 401),
        ({"Cookie": "framegate_session_8000=wrong", "X-API-Key": ""}, 401),
    ],
    ids=str,
)
def test_a_handshake_from_elsewhere_is_refused(
    served: str,
    secret_of: SecretOf,
    upstream: Upstream,
    headers: Mapping[str, str],
    status: int,
) -> None:
    given = {"X-API-Key": secret_of("admin")} | headers
    with pytest.raises(InvalidStatus) as refused, opened(served, None, headers=given):
        pass
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body or b"")["error"]["message"]
    assert upstream.reached == []


def test_our_own_page_may_open_it(served: str, secret_of: SecretOf, upstream: Upstream) -> None:
    with opened(served, secret_of("reader"), origin=f"http://{served}") as connection:
        assert ask(connection, "start", "{ version }")
    assert len(upstream.reached) == 1


def test_there_is_no_other_web_socket(served: str, secret_of: SecretOf, upstream: Upstream) -> None:
    for path in ("/dagster/", "/dagster/runs", "/dagster/graphql/", "/api/v1/jobs"):
        with (
            pytest.raises(InvalidStatus),
            opened(served, secret_of("admin", path.replace("/", "x")), path=path),
        ):
            pass
    assert [each for each in upstream.reached if each.method == "WEBSOCKET"] == []


def test_signing_out_ends_the_connection(
    served: str, secret_of: SecretOf, upstream: Upstream
) -> None:
    with httpx.Client(base_url=f"http://{served}", trust_env=False) as browser:
        browser.post("/sign-in", data={"key": secret_of("reader")})
        cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        with opened(served, None, headers={"Cookie": cookie}) as connection:
            assert ask(connection, "start", "{ version }")
            browser.post("/sign-out")
            with pytest.raises(ConnectionClosed):
                connection.recv(timeout=30)
    assert len(upstream.messages) == 1
