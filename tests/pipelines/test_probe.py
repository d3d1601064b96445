"""The probing program: JSON on standard output, whatever the file."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


def run_probe(*arguments: str) -> tuple[int, dict[str, Any], str]:
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.probe", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def test_media_is_described_as_json(clips: dict[str, Path]) -> None:
    status, answer, _ = run_probe(str(clips["bigbuckbunny"]), "--name", "the bunny.mp4")
    assert status == 0
    assert [(stream["kind"], stream["read"]) for stream in answer.pop("streams")] == [
        ("video", True),
        ("audio", True),
    ]
    assert answer == {
        "path": str(clips["bigbuckbunny"]),
        "name": "the bunny.mp4",
        "stem": "the_bunny",
        "container": "mp4",
        "size_bytes": 1_055_736,
        "duration_seconds": 5.312,
        "video": {
            "index": 0,
            "width": 1280,
            "height": 720,
            "rotation": 0,
            "mirrored": False,
            "frame_rate": 25.0,
            "frame_count": 132,
            "duration_seconds": 5.28,
            "end_seconds": 5.28,
        },
        "audio": {"index": 1, "sample_rate": 48_000, "channels": 6, "duration_seconds": 5.312},
        "undecodable_audio": None,
    }


def test_what_is_no_media_is_an_error_with_a_hint_and_no_chatter(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("These are notes.\n" * 1000)
    status, answer, chatter = run_probe(str(path))
    assert status == 2
    assert answer["error"]["code"] == "INVALID_MEDIA"
    assert "not video or audio" in answer["error"]["message"]
    assert answer["error"]["hint"]
    assert chatter == ""


@pytest.mark.parametrize("name", ["line\nbreak.mp4", "\u202egnp.mp4", "-leading.mp4", "é" * 200])
def test_a_hostile_name_stays_inside_its_field(clips: dict[str, Path], name: str) -> None:
    status, answer, _ = run_probe(str(clips["carphone"]), f"--name={name}")
    assert status == 0
    assert answer["name"] == name


def test_probing_loads_neither_numpy_nor_torch() -> None:
    code = "import sys, pipelines.probe; print(sorted({'numpy', 'torch'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"
