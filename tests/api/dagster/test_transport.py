"""Answers of Dagster that do not come, come too slowly, or make no sense."""

import asyncio
from contextlib import closing, suppress
from typing import Any

import httpx
import pytest

from api.dagster.client import DagsterClient
from api.dagster.transport import GraphqlTransport
from api.errors import (
    FramegateError,
    InternalServerError,
    OrchestratorSilentError,
    OrchestratorUnavailableError,
)

pytestmark = pytest.mark.anyio

PATIENCE = 30.0


@pytest.mark.parametrize(
    ("failure", "error"),
    [
        (httpx.ConnectError("refused"), OrchestratorUnavailableError),
        (httpx.ConnectTimeout("slow"), OrchestratorUnavailableError),
        (httpx.ReadTimeout("slow"), OrchestratorSilentError),
        (httpx.ReadError("reset"), OrchestratorSilentError),
        (httpx.RemoteProtocolError("closed"), OrchestratorSilentError),
    ],
)
async def test_not_being_answered_is_503_and_tells_whether_the_question_was_sent(
    client: DagsterClient, dagster: Any, failure: Exception, error: type[FramegateError]
) -> None:
    def fail(_request: httpx.Request) -> httpx.Response:
        raise failure

    dagster.transport_reply = fail
    with pytest.raises(OrchestratorUnavailableError) as caught:
        await client.run("some-run")
    assert type(caught.value) is error
    assert caught.value.headers == {"Retry-After": "5"}


async def test_an_answer_that_trickles_in_is_late_as_a_whole() -> None:
    """Each byte comes in time, so that no pause of the connection ends it."""
    hung_up = asyncio.Event()

    async def trickle(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError), closing(writer):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        hung_up.set()

    async with await asyncio.start_server(trickle, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        transport = GraphqlTransport(
            f"http://127.0.0.1:{port}", timeout=0.5, transport=httpx.AsyncHTTPTransport()
        )
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(OrchestratorSilentError, match="in time"):
                await transport.ask("{ version }", {})
        await transport.close()
        await hung_up.wait()


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (httpx.Response(504, text="<html>"), OrchestratorSilentError),
        (httpx.Response(200, json=[]), InternalServerError),
        (
            httpx.Response(400, json={"data": None, "errors": [{"message": "bad"}]}),
            InternalServerError,
        ),
        (httpx.Response(200, json={"data": {}, "errors": [{"message": "x"}]}), InternalServerError),
    ],
)
async def test_an_answer_that_makes_no_sense_is_an_error(
    client: DagsterClient, dagster: Any, reply: httpx.Response, error: type[FramegateError]
) -> None:
    dagster.transport_reply = lambda _request: reply
    with pytest.raises(error):
        await client.run("some-run")
