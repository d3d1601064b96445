"""A third party's type checker reads the SDK's types: right uses pass, wrong ones are rejected."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from contracts.project import PROJECT


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mypy-cache")


def _checked(path: Path, cache: Path) -> str:
    """What mypy says of a file or a package that lies elsewhere than Framegate: from there it sees
    what an installed package says of its types.
    """
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--cache-dir", cache]
    environment = {name: value for name, value in os.environ.items() if name != "MYPYPATH"}
    done = subprocess.run(
        [*command, path.name],
        cwd=path.parent,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stdout + done.stderr


def test_the_example_passes_in_strict_mode(cache: Path) -> None:
    told = _checked(PROJECT / "docs" / "example-pipeline" / "framegate_brightness", cache)

    assert told.startswith("Success: no issues found in 3 source files"), told


def test_every_wrong_use_is_rejected(cache: Path) -> None:
    """In strict mode a comment that excuses what is no error is an error itself."""
    told = _checked(PROJECT / "tests" / "packages" / "mistyped" / "wrong_uses.py", cache)

    assert told.startswith("Success: no issues found in 1 source file"), told
