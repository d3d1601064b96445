import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.cli.stack_process import start_stack
from api.settings import Settings
from api.stack.events import StackReady
from api.stack.ports import free_port, is_free

Framegate = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def report(framegate: Framegate, stack: StackReady) -> dict[str, Any]:
    """What the demo tells in the home of a running stack."""
    shown = framegate("demo", "--json", "--home", stack.home)
    assert shown.returncode == 0, shown.stderr
    told: dict[str, Any] = json.loads(shown.stdout)
    return told


def test_the_demo_runs_every_pipeline_and_finds_what_is_there(
    report: dict[str, Any], rest: httpx.Client
) -> None:
    found = report["results"]["pipelines"]
    names = [card["name"] for card in rest.get("/api/v1/pipelines").json()["pipelines"]]

    assert sorted(found) == sorted(names)
    for name in ("face_detection", "scene_detection", "speech_activity"):
        assert found[name]["annotation_count"] > 0


def test_the_demo_names_files_that_are_there(report: dict[str, Any]) -> None:
    assert report["files"]
    assert all(Path(path).is_file() for path in report["files"])


@pytest.mark.usefixtures("report")
def test_the_demos_key_is_revoked_afterwards(framegate: Framegate, stack: StackReady) -> None:
    listed = framegate("keys", "list", "--json", "--home", stack.home).stdout
    keys = [key for key in json.loads(listed)["keys"] if key["name"].startswith("demo-")]

    assert keys
    assert all(key["revoked_at"] for key in keys)


def test_a_stack_of_another_command_stops_with_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", port=free_port(), dagster_port=free_port())
    with start_stack(settings) as stack:
        ready = stack.until_ready(lambda _event: None)
        answered = httpx.get(f"{ready.url}/api/v1/health", trust_env=False).is_success

    assert answered
    assert is_free("127.0.0.1", settings.port)
    assert is_free("127.0.0.1", settings.dagster_port)
