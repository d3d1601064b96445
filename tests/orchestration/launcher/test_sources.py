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


def test_what_was_loaded_is_current_until_a_file_changes(module: Path) -> None:
    sources = Sources.loaded()
    assert sources.are_current

    module.write_text("value = 22\n")

    assert not sources.are_current


def test_a_file_that_is_gone_has_changed(module: Path) -> None:
    sources = Sources.loaded()

    module.unlink()

    assert not sources.are_current


def test_installed_packages_are_not_watched() -> None:
    assert not [file for file in Sources.loaded().changed_at if file.startswith(pytest.__path__[0])]


def test_code_that_loads_has_no_error(module: Path) -> None:
    assert load_error(module.stem) is None


def test_code_that_does_not_load_says_why(module: Path) -> None:
    module.write_text("value = missing\n")

    assert load_error(module.stem) == "NameError: name 'missing' is not defined"
