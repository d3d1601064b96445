import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestration.launcher.sources import Sources, load_error


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A module that people edit, loaded."""
    path = tmp_path / "edited_by_people.py"
    path.write_text("value = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    __import__("edited_by_people")
    yield path
    del sys.modules["edited_by_people"]


def test_what_was_loaded_is_current_until_a_file_changes(module: Path, tmp_path: Path) -> None:
    sources = Sources.loaded(tmp_path / "presets")
    assert sources.are_current

    module.write_text("value = 22\n")

    assert not sources.are_current


def test_a_file_that_is_gone_has_changed(module: Path, tmp_path: Path) -> None:
    sources = Sources.loaded(tmp_path / "presets")

    module.unlink()

    assert not sources.are_current


def test_installed_packages_are_not_watched(tmp_path: Path) -> None:
    watched = Sources.loaded(tmp_path / "presets").changed_at
    assert not [file for file in watched if file.startswith(pytest.__path__[0])]


def test_presets_are_watched_like_code(tmp_path: Path) -> None:
    folder = tmp_path / "presets"
    sources = Sources.loaded(folder)
    assert sources.are_current

    folder.mkdir()
    assert not sources.are_current

    preset = folder / "night.yaml"
    preset.write_text("pipelines: [scene_detection]\n")
    sources = Sources.loaded(folder)
    preset.write_text("pipelines: [face_detection]\n")
    assert not sources.are_current


def test_code_that_loads_has_no_error(module: Path) -> None:
    assert load_error(module.stem) is None


def test_code_that_does_not_load_says_why(module: Path) -> None:
    module.write_text("value = missing\n")

    assert load_error(module.stem) == "NameError: name 'missing' is not defined"


def test_code_that_ends_its_interpreter_without_a_word_is_told_by_its_exit_code(
    module: Path,
) -> None:
    module.write_text("import os; os._exit(3)\n")

    assert load_error(module.stem) == "Loading the code ended with exit code 3."


def test_code_that_never_loads_is_given_up(module: Path) -> None:
    module.write_text("import time; time.sleep(60)\n")

    assert load_error(module.stem, timeout=0.5) == "The code had not loaded after 0.5 s."
