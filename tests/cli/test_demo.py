"""The demo in the home of a running stack, with one pipeline; tests/deep/cli runs all of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from api.stack.events import StackReady
from tests.conftest import Framegate


@pytest.fixture(scope="module")
def report(framegate: Framegate, stack: StackReady) -> dict[str, Any]:
    shown = framegate("demo", "--json", "--home", stack.home, "--pipelines", "face_detection")
    assert shown.returncode == 0, shown.stderr
    told: dict[str, Any] = json.loads(shown.stdout)
    return told


def test_the_demo_runs_the_named_pipeline_and_finds_faces(report: dict[str, Any]) -> None:
    [(name, found)] = report["results"]["pipelines"].items()

    assert name == "face_detection"
    assert found["annotation_count"] > 0


def test_the_demo_names_files_that_are_there(report: dict[str, Any]) -> None:
    assert report["files"]
    assert all(Path(path).is_file() for path in report["files"])


@pytest.mark.usefixtures("report")
def test_the_demos_key_is_revoked_afterwards(framegate: Framegate, stack: StackReady) -> None:
    listed = framegate("keys", "list", "--json", "--home", stack.home).stdout
    keys = [key for key in json.loads(listed)["keys"] if key["name"].startswith("demo-")]

    assert keys
    assert all(key["revoked_at"] for key in keys)
