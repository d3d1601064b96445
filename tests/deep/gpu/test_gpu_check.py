"""`make gpu-check` where there is no GPU: the same script runs over one made of files."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from benchmarks.gpu import wheels
from contracts.project import PROJECT

pytestmark = pytest.mark.timeout(1000)  # every check is a process of its own

#: Pictures that each stay for a second.
_SCENES, _RATE, _SIDE = 3, 25, 96
_JUDGED = {
    "start after the fork: CUDA in the worker",
    "two runs on one GPU: by lease",
    "a run waits for memory that another program holds: it says why",
    "cancel, listening: its memory is back",
    "cancel, swallowing every signal: its memory is back",
    "SIGKILL of the worker: its memory is back",
}


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "scenes.mp4"
    random = np.random.default_rng(0)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=_RATE)
        stream.width = stream.height = _SIDE
        stream.pix_fmt = "yuv420p"
        for _ in range(_SCENES):
            image = random.integers(0, 255, (6, 6, 3), np.uint8).repeat(16, 0).repeat(16, 1)
            for _ in range(_RATE):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def report(
    video: Path, tmp_path_factory: pytest.TempPathFactory, bare_environment: Mapping[str, str]
) -> Mapping[str, Any]:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU: `make gpu-check` is to be run by itself")
    path = tmp_path_factory.mktemp("gpu") / "gpu.json"
    command = ["-m", "benchmarks.gpu_check", str(video), "--quick", "--json", str(path)]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT,
        env=bare_environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No GPU is here" in done.stdout
    found: Mapping[str, Any] = json.loads(path.read_text())
    return found


def test_what_can_be_judged_without_a_gpu_passes(report: Mapping[str, Any]) -> None:
    judged = {each["check"] for each in report["results"] if each["passed"] is not None}

    assert report["gpu"] is None
    assert report["passed"]
    assert judged == _JUDGED


def test_what_only_a_gpu_can_show_runs_and_is_not_judged(report: Mapping[str, Any]) -> None:
    said = {each["check"]: each["said"] for each in report["results"] if each["passed"] is None}

    for pipeline in ("scene_detection", "face_detection"):
        assert "the card expects" in said[f"{pipeline}: batch sizes: batches of 2"]
        for precision in ("tf32", "half"):
            assert "times as fast" in said[f"{pipeline}: precision: {precision} beside float32"]


def test_every_wheel_that_a_bare_machine_lacks_is_locked() -> None:
    for python in ("3.11", "3.12"):
        assert set().union(*wheels.BATCHES) <= set(wheels.read_pins(python))
