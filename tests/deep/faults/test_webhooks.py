"""The whole way on the real stack: a key with a webhook, a job of its owner, a signed message."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady
from contracts.webhook import signed_headers

Got = list[tuple[dict[str, str], bytes]]


@pytest.fixture
def receiver() -> Iterator[tuple[str, Got]]:
    """Refuses the first message, and takes all others."""
    got: Got = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            got.append(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(503 if len(got) == 1 else 204)
            self.end_headers()

        def log_message(self, *_arguments: Any) -> None:
            """Tests print nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", got
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_owner_of_a_key_is_told_of_a_job_that_failed(
    jobs: Any, rest: httpx.Client, stack: StackReady, receiver: tuple[str, Got]
) -> None:
    url, got = receiver
    body = {"name": "told", "role": "annotator", "webhook_url": url}
    key = rest.post("/api/v1/keys", json=body).json()
    submission = {
        "media": jobs.media,
        "pipelines": ["misbehaving"],
        "config": {"misbehaving": {"behaviour": "raise"}},
    }
    headers = {"X-API-Key": key["key"]}
    submitted = httpx.post(f"{stack.url}/api/v1/jobs", json=submission, headers=headers)
    job = jobs.wait(submitted.json()["id"], {"failed"})

    deadline = time.monotonic() + 120.0
    while len(got) < 2:
        assert time.monotonic() < deadline, got
        time.sleep(0.2)

    (refused, first), (taken, second) = got
    assert first == second
    assert refused["webhook-id"] == taken["webhook-id"]
    expected = signed_headers(
        key["webhook_secret"], taken["webhook-id"], int(taken["webhook-timestamp"]), second
    )
    assert taken["webhook-signature"] == expected["webhook-signature"]
    message = json.loads(second)
    assert message["type"] == "job.error"
    assert message["data"]["job_id"] == job["id"]
    assert message["data"]["error"]["code"] == "PIPELINE_FAILED"
    assert httpx.get(message["data"]["url"], headers=headers).json()["status"] == "failed"
    assert rest.delete(f"/api/v1/keys/{key['id']}").status_code == 204
