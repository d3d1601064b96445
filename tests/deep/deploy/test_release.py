"""`make release` tags only what is ready, and builds a wheel that starts."""

import runpy
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from contracts.project import PROJECT

CHANGELOG = "# Changes\n\n## 1.2.0\n"
READY = {"version": "1.2.0", "changelog": CHANGELOG, "changed_files": "", "tags": []}


@pytest.fixture(scope="module")
def release() -> dict[str, Any]:
    return runpy.run_path(str(PROJECT / "deploy" / "release.py"))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, None),
        ({"changed_files": " M README.md"}, "Commit or remove these changes first:\n M README.md"),
        ({"tags": ["v1.2.0"]}, "v1.2.0 is tagged already"),
        ({"changelog": "## Unreleased\n\n## 1.2.0\n"}, "rename its heading 'Unreleased'"),
        ({"changelog": "# Changes\n"}, "must start with '## 1.2.0'"),
    ],
)
def test_a_version_is_released_only_when_all_is_ready(
    release: dict[str, Any], change: dict[str, Any], told: str | None
) -> None:
    problem = release["unready"](**READY | change)

    assert problem is None if told is None else told in problem


def test_the_wheel_starts_where_it_is_installed(release: dict[str, Any], tmp_path: Path) -> None:
    wheel = release["build"](tmp_path / "dist")

    release["prove"](wheel, tmp_path)


def test_type_checkers_of_third_parties_read_the_types_in_the_wheel(
    release: dict[str, Any], tmp_path: Path
) -> None:
    wheel = release["build"](tmp_path / "dist")

    assert "pipelines/py.typed" in ZipFile(wheel).namelist()


def test_a_wheel_that_does_not_start_is_told(release: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder is needed")
    wheel = release["build"](tmp_path / "dist")

    with pytest.raises(release["ReleaseError"], match=r"does not start: .* cannot be the home"):
        release["prove"](wheel, tmp_path)
