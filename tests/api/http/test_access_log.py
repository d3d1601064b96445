"""The API's log: fields that machines can read, ids that lead on, and nothing that is secret."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from contracts.logs import build_handler

pytestmark = pytest.mark.anyio

Lines = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The lines that a logger has written since, as JSON."""
    stream = io.StringIO()
    handler = build_handler("json", stream)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)

    def read(logger: str) -> list[dict[str, Any]]:
        every = [json.loads(line) for line in stream.getvalue().splitlines()]
        return [line for line in every if line["logger"] == logger]

    yield read
    root.removeHandler(handler)
    root.setLevel(level)


async def test_a_request_is_one_line_of_fields(admin: httpx.AsyncClient, lines: Lines) -> None:
    await admin.get("/api/v1/jobs", headers={"X-Request-ID": "trace-1"})

    [line] = lines("framegate.access")
    assert line.pop("time").endswith("Z")
    assert line.pop("duration_seconds") > 0
    assert line == {
        "level": "INFO",
        "logger": "framegate.access",
        "message": "answered",
        "client": "127.0.0.1",
        "method": "GET",
        "path": "/api/v1/jobs",
        "status": 200,
        "request_id": "trace-1",
        "owner": "admin",
    }


async def test_the_log_never_has_the_query_or_a_key(admin: httpx.AsyncClient, lines: Lines) -> None:
    job = "/api/v1/jobs/00000000-0000-0000-0000-000000000000/artifacts"
    await admin.get(f"{job}?token=fg_secret")

    written = json.dumps(lines("framegate.access"))
    assert "artifacts" in written
    assert "fg_secret" not in written
    assert admin.headers["X-API-Key"] not in written


async def test_a_path_cannot_forge_a_line(admin: httpx.AsyncClient, lines: Lines) -> None:
    await admin.get("/a%0aforged")

    [line] = lines("framegate.access")
    assert line["path"] == "/a\\nforged"


async def test_a_submission_says_which_job_came_of_which_request(
    admin: httpx.AsyncClient, lines: Lines, clip: bytes
) -> None:
    answer = await admin.post(
        "/api/v1/jobs",
        files={"video": ("clip.mp4", clip)},
        data={"selected_pipelines": "face_detection"},
        headers={"X-Request-ID": "trace-2"},
    )

    [line] = lines("framegate.jobs")
    assert line["request_id"] == "trace-2"
    assert line["job_id"] == answer.json()["id"]
    assert line["pipelines"] == "face_detection"
    assert line["owner"] == "admin"


async def test_what_is_known_of_a_request_is_not_on_the_lines_of_the_next(
    stranger: httpx.AsyncClient, admin: httpx.AsyncClient, lines: Lines
) -> None:
    await admin.get("/api/v1/jobs")
    await stranger.get("/api/v1/health")

    first, second = lines("framegate.access")
    assert first["owner"] == "admin"
    assert "owner" not in second
    assert first["request_id"] != second["request_id"]
