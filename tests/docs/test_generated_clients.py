"""The page about generated clients, step by step as it stands, against the real stack."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady
from pipelines.clips import clip

_SECONDS = 240
_ADDRESS = "http://127.0.0.1:8000"

Run = Callable[..., str]


@pytest.fixture(scope="module")
def page(read_page: Any) -> Any:
    return read_page("docs/generated-clients.md")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where somebody stands who has a video."""
    folder = tmp_path_factory.mktemp("generated-clients")
    shutil.copy(clip("carphone"), folder / "video.mp4")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path, bare_environment: Mapping[str, str], admin_key: str) -> Run:
    """Runs a program in the folder, and gives what it prints."""
    programs = Path(sys.executable).parent
    environment = {
        **bare_environment,
        "FRAMEGATE_API_KEY": admin_key,
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "NO_PROXY": "127.0.0.1",
    }

    def run(*command: str) -> str:
        done = subprocess.run(
            command,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def generated(page: Any, run: Run, folder: Path, stack: StackReady) -> Path:
    """The client's package. A warning of the generator is a failure here."""
    [config] = page.blocks("yaml")
    (folder / "generator.yaml").write_text(config)
    [block] = page.blocks("sh")
    [command] = [line for line in block.splitlines() if " generate " in line]
    run(*command.replace(_ADDRESS, stack.url).split(), "--fail-on-warning")
    return folder / "framegate_client"


def test_every_operation_has_a_function(generated: Path, rest: httpx.Client) -> None:
    described = rest.get("/openapi.json").json()["paths"].values()
    names = {operation["operationId"] for path in described for operation in path.values()}
    functions = {file.stem.replace("_", "") for file in (generated / "api").glob("*/*.py")}
    assert {name.lower() for name in names} <= functions


def test_the_client_submits_waits_and_downloads(
    page: Any, run: Run, generated: Path, folder: Path, stack: StackReady
) -> None:
    assert generated.is_dir()
    [script] = page.blocks("python")
    (folder / "annotate.py").write_text(script.replace(_ADDRESS, stack.url))
    assert run(sys.executable, "annotate.py") == "completed\n"
    with zipfile.ZipFile(folder / "results.zip") as archive:
        assert "video_scene_detection.json" in archive.namelist()
