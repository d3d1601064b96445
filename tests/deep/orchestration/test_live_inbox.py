"""A new preset, and a video dropped into its folder, on the real stack: a job, once."""

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady
from pipelines.clips import clip

_SECONDS = 120.0


def _wait_for(look: Callable[[], Any], what: str) -> Any:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.5)
    raise AssertionError(f"{what}: not within {_SECONDS:.0f} s")


def _jobs(rest: httpx.Client, name: str) -> list[dict[str, Any]]:
    """Jobs of the inbox, of the video that was dropped under this name."""
    jobs = rest.get("/api/v1/jobs", params={"per_page": 100}).json()["jobs"]
    return [job for job in jobs if (job["owner"], job["video_filename"]) == ("inbox", name)]


@pytest.mark.slow
def test_a_dropped_video_is_one_job_however_it_is_renamed_and_touched(
    stack: StackReady, rest: httpx.Client
) -> None:
    """Of a preset that came while everything ran: nobody has to reload anything for it."""
    preset = Path(stack.home) / "presets" / "dropped_speech.yaml"
    preset.write_text("pipelines: [speech_activity]\nconfig: {speech_activity: {threshold: 0.4}}\n")
    folder = Path(stack.home) / "inbox" / "dropped_speech"
    _wait_for(folder.is_dir, "the folder")
    file = Path(shutil.copy(clip("bigbuckbunny"), folder / "dropped.mp4"))

    def finished() -> Any:
        return [job for job in _jobs(rest, "dropped.mp4") if job["status"] == "completed"]

    [job] = _wait_for(finished, "a finished job")
    assert job["selected_pipelines"] == ["speech_activity"]
    assert job["config"]["speech_activity"] == {"threshold": 0.4}

    renamed = file.rename(folder / "renamed.mp4")
    os.utime(renamed)
    (folder / "later.mp4").touch()  # is looked at after it, and moved aside
    _wait_for((folder / "rejected" / "later.mp4.reason.txt").exists, "the look after the next")

    assert len(_jobs(rest, "dropped.mp4")) == 1
    assert _jobs(rest, "renamed.mp4") == []
