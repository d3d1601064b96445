"""How much a job leaves in Dagster's log: as much for a long film as for a short one."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import av
import httpx
import numpy as np
import pytest

from api.stack.events import StackReady
from contracts.home import Home
from orchestration.launcher.instance import open_instance

PIPELINES = "scene_detection,face_detection"
#: Of the short film, and of the long one, which has more of them than a run has events.
FRAMES = (10, 150)
PATIENCE = 240.0


def _film(path: Path, frames: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for number in range(frames):
            shade = np.full((48, 64, 3), number % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture
def events_of(
    stack: StackReady,
    database_of: Callable[[Path], Mapping[str, str]],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[str], list[str]]:
    """What Dagster itself has in a job's log: the kinds of its events."""
    for name, value in database_of(Path(stack.home)).items():
        monkeypatch.setenv(name, value)

    def find(job: str) -> list[str]:
        with open_instance(Home(Path(stack.home)).dagster) as instance:
            return [str(log.dagster_event_type) for log in instance.all_logs(job)]

    return find


def _run(rest: httpx.Client, film: Path) -> str:
    submitted = rest.post(
        "/api/v1/jobs",
        files={"video": (film.name, film.read_bytes())},
        data={"selected_pipelines": PIPELINES},
    )
    assert submitted.status_code == 201, submitted.text
    job = str(submitted.json()["id"])
    deadline = time.monotonic() + PATIENCE
    while (seen := rest.get(f"/api/v1/jobs/{job}").json())["status"] != "completed":
        assert time.monotonic() < deadline, seen
        assert seen["status"] not in {"failed", "cancelled"}, seen
        time.sleep(0.2)
    return job


def test_a_long_film_leaves_as_many_events_as_a_short_one(
    rest: httpx.Client, events_of: Callable[[str], list[str]], tmp_path: Path
) -> None:
    jobs = [_run(rest, _film(tmp_path / f"{frames}.mp4", frames)) for frames in FRAMES]
    short, long = (sorted(events_of(job)) for job in jobs)

    assert long == short
    assert len(long) < FRAMES[1]
