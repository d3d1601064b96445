"""The API as a process that may open few files, and clients that would take them all."""

import os
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port

PATIENCE = 60.0
HANDLES = 256


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    """Where an API answers that may have so few handles."""
    port = free_port()
    environment = os.environ | {"FRAMEGATE_HOME": str(tmp_path), "FRAMEGATE_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "api"],
        env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (HANDLES, HANDLES)),  # noqa: PLW1509
        stderr=subprocess.DEVNULL,
    )
    until = time.monotonic() + PATIENCE
    while not _listens(port):
        assert time.monotonic() < until
        time.sleep(0.05)
    yield port
    process.terminate()
    process.wait(PATIENCE)


def test_liveness_is_answered_with_more_half_sent_requests_than_handles(port: int) -> None:
    with ExitStack() as stack:
        for number in range(2 * HANDLES):
            connection = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
            stack.enter_context(connection)
            connection.sendall(b"GET / HTTP/1.1\r\nX-Half: ")
            if number % 64 == 0:
                answer = httpx.get(f"http://127.0.0.1:{port}/api/v1/health", trust_env=False)
                assert answer.json()["status"] == "ok"


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return False
    return True
