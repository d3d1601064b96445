"""A client that was there before: it knows section 3 of the API's description, and nothing else.

It submits a real video to all three pipelines of the real stack, listens, and reads what comes.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady
from pipelines.sample import build_sample

LIMIT_SECONDS = 30


@dataclass(frozen=True)
class Told:
    id: str
    name: str
    data: dict[str, Any]


def read_events(answer: httpx.Response) -> Iterator[Told]:
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value
        elif not line and "data" in fields:
            yield Told(fields["id"], fields["event"], json.loads(fields["data"]))
            fields = {}


@pytest.fixture(scope="session")
def client(stack: StackReady, admin_key: str) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=stack.url,
        headers={"Authorization": f"Bearer {admin_key}"},
        timeout=LIMIT_SECONDS,
        trust_env=False,
    ) as client:
        yield client


@pytest.fixture(scope="session")
def job_and_events(
    client: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[str, Any], list[Told]]:
    """A job of all three pipelines that has completed, and every event of it."""
    video = build_sample(tmp_path_factory.mktemp("video") / "street & talk.mp4")
    with video.open("rb") as file:
        submitted = client.post(
            "/api/v1/jobs",
            files={"video": (video.name, file, "video/mp4")},
            data={
                "selected_pipelines": "face_detection,scene_detection,speech_activity",
                "config": json.dumps({"face_detection": {"sample_rate": 2}}),
            },
        )
    assert submitted.status_code == 201, submitted.text
    job_id = submitted.json()["id"]
    timeout = httpx.Timeout(LIMIT_SECONDS, read=180)  # a heartbeat comes every 15 s
    with client.stream("GET", f"/api/v1/jobs/{job_id}/events", timeout=timeout) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        events = list(read_events(answer))
    [job] = [each for each in client.get("/api/v1/jobs").json()["jobs"] if each["id"] == job_id]
    assert job["status"] == "completed", job
    return job, events


@pytest.fixture(scope="session")
def job(job_and_events: tuple[dict[str, Any], list[Told]]) -> dict[str, Any]:
    return job_and_events[0]
