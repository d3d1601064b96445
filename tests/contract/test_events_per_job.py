"""How much a job leaves in Dagster's log: as much for a long film as for a short one."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import av
import httpx
import numpy as np
from dagster import DagsterInstance

PIPELINES = "scene_detection,face_detection"
#: Of the short film, and of the long one, which has more of them than a run has events.
FRAMES = (10, 150)
PATIENCE = 240.0

OpenDagster = Callable[[], AbstractContextManager[DagsterInstance]]


def _film(path: Path, frames: int) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height = 64, 48
        for number in range(frames):
            shade = np.full((48, 64, 3), number % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, format="rgb24")))
        container.mux(stream.encode())
    return path


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
    rest: httpx.Client, its_dagster: OpenDagster, tmp_path: Path
) -> None:
    jobs = [_run(rest, _film(tmp_path / f"{frames}.mp4", frames)) for frames in FRAMES]
    with its_dagster() as dagster:
        logs = [dagster.all_logs(job) for job in jobs]
    short, long = (sorted(str(event.dagster_event_type) for event in log) for log in logs)

    assert long == short
    assert len(long) < FRAMES[1]
