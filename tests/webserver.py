"""GraphQL straight to the Dagster of a running stack, by its socket: as the API speaks to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from api.dagster.socket import DAGSTER_URL
from contracts.home import Home
from contracts.socket_address import socket_address


@contextmanager
def webserver_of(home: str | Path) -> Iterator[httpx.Client]:
    """A client whose paths are Dagster's own, such as `/graphql`."""
    with (
        socket_address(Home(Path(home)).webserver_socket) as address,
        httpx.Client(
            base_url=DAGSTER_URL, transport=httpx.HTTPTransport(uds=address), timeout=120.0
        ) as client,
    ):
        yield client


def ask_dagster(home: str | Path, document: str, **variables: Any) -> Any:
    """The data of the answer, which has no errors."""
    with webserver_of(home) as client:
        answer = client.post("/graphql", json={"query": document, "variables": variables}).json()
    assert "errors" not in answer, answer
    return answer["data"]
