"""The README's quick start by curl, run by bash as it stands, against the real stack."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from api.stack.events import StackReady
from pipelines.clips import clip

_SECONDS = 240


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a newcomer stands: with a video."""
    folder = tmp_path_factory.mktemp("quick-start")
    shutil.copy(clip("carphone"), folder / "video.mp4")
    return folder


@pytest.fixture(scope="module")
def printed(
    read_page: Any,
    stack: StackReady,
    bare_environment: Mapping[str, str],
    database_of: Callable[[Path], Mapping[str, str]],
    folder: Path,
) -> str:
    """What the block prints. Only the address differs, and where the programs lie."""
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    [block] = read_page("README.md").section("## REST").blocks("sh")
    script = block.replace("http://127.0.0.1:8000", stack.url)
    script = script.replace("source .venv/bin/activate\n", "")
    programs = Path(sys.executable).parent
    environment = {
        **bare_environment,
        **database_of(Path(stack.home)),
        "FRAMEGATE_HOME": stack.home,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - the newcomer's own shell
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def _answers(printed: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in what was printed, one after the other."""
    place = printed.find("{")
    while place >= 0:
        answer, end = json.JSONDecoder().raw_decode(printed, place)
        yield answer
        place = printed.find("{", end)


def test_it_waits_until_the_job_has_completed(printed: str) -> None:
    assert printed.count("event: job.complete\n") == 1


def test_it_shows_what_was_found(printed: str) -> None:
    [pipelines] = [each["pipelines"] for each in _answers(printed) if "pipelines" in each]

    assert set(pipelines) == {"scene_detection", "speech_activity"}
    assert pipelines["scene_detection"]["config"]["threshold"] == 0.4
    assert pipelines["scene_detection"]["annotation_count"] == 1


def test_it_fetches_the_video_and_all_files(printed: str, folder: Path) -> None:
    assert printed
    with zipfile.ZipFile(folder / "results.zip") as archive:
        names = archive.namelist()

    assert names[:2] == ["README.txt", "video.mp4"]
    assert "video_scene_detection.json" in names


def test_its_cancellation_says_that_the_job_had_completed(printed: str) -> None:
    *_, cancelled = _answers(printed)

    assert cancelled["status"] == "COMPLETED"
