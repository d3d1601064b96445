"""`framegate presets` on this machine's home; nothing needs to run for it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def presets(tmp_path: Path) -> Path:
    folder = tmp_path / "presets"
    folder.mkdir()
    (folder / "night.yaml").write_text("pipelines: [scene_detection]\n")
    return folder


def test_it_lists_what_can_be_used(framegate: Callable[..., Any], presets: Path) -> None:
    done = framegate("presets", "--json", FRAMEGATE_HOME=str(presets.parent))

    assert done.returncode == 0, done.stderr
    [preset] = json.loads(done.stdout)["presets"]
    assert (preset["name"], preset["pipelines"]) == ("night", ["scene_detection"])


def test_it_says_what_is_wrong_and_what_to_write_instead(
    framegate: Callable[..., Any], presets: Path
) -> None:
    (presets / "bad.yaml").write_text("pipelines: [scene_detectoin]\n")

    done = framegate("presets", FRAMEGATE_HOME=str(presets.parent))

    assert done.returncode == 1
    assert "bad.yaml: pipelines.0" in done.stdout
    assert "Did you mean 'scene_detection'?" in done.stdout
    assert "night" in done.stdout
