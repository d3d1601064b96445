"""A real receiver of webhooks: an HTTP server on loopback that checks what it gets."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from contracts.home import Home
from contracts.webhook import Target, new_secret
from orchestration.webhooks.outbox import Entry, Outbox


@dataclass
class Receiver:
    """`answers` are the statuses of the next answers, 200 for all after them; a status of 0 hangs
    up, and one below 0 says for how many seconds to keep silent.
    """

    server: ThreadingHTTPServer
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/hook"

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _body in self.got]

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _headers, body in self.got]


@pytest.fixture
def make_receiver() -> Iterator[Callable[..., Receiver]]:
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def make(*answers: int) -> Receiver:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.got.append((headers, body))
                status = receiver.answers.pop(0) if receiver.answers else 200
                if status < 0:
                    time.sleep(-status)
                if status <= 0:
                    return
                self.send_response(status)
                self.send_header("location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_arguments: Any) -> None:
                """Tests print nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        receiver = Receiver(server, answers=list(answers))
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        servers.append((server, thread))
        return receiver

    yield make
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def receiver(make_receiver: Callable[..., Receiver]) -> Receiver:
    return make_receiver()


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(Home(tmp_path))


@pytest.fixture
def target_of() -> Callable[..., Target]:
    def make(receiver: Receiver, owner: str | None = None) -> Target:
        return Target(url=receiver.url, secret=new_secret(), owner=owner)

    return make


@pytest.fixture
def add(outbox: Outbox) -> Callable[..., Entry]:
    """Puts a message for a target into the outbox."""

    def add(target: str = "_everybody", number: int = 1, age: float = 0.0) -> Entry:
        entry = Entry(
            name=f"{number:015}-run.json",
            target=target,
            message_id=f"msg_{target}_{number}",
            body=json.dumps({"number": number}),
            announced_at=time.time() - age,
        )
        outbox.add(entry)
        return entry

    return add
