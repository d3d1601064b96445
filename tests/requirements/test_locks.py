"""What is installed is what was pinned: every file by its hash, and nothing is left out."""

import subprocess
import tomllib
from importlib.metadata import distribution
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from contracts.project import PROJECT


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((PROJECT / "pyproject.toml").read_text())


def _names(requirements: list[str]) -> set[str]:
    """Of those that hold on this platform, without extras."""
    parsed = [Requirement(each) for each in requirements]
    return {
        canonicalize_name(each.name)
        for each in parsed
        if each.marker is None or each.marker.evaluate({"extra": ""})
    }


def test_every_dependency_has_one_version_and_hashes(locks: Any) -> None:
    assert set(locks) == {
        *("base.txt", "dev.txt", "files-only.txt", "torch-cpu.txt", "torch-cuda.txt"),
    }
    for pins in locks.values():
        for pin, hashes in pins:
            assert [clause.operator for clause in pin.specifier] == ["=="], pin
            assert hashes, pin


def test_no_file_names_an_index() -> None:
    for path in (PROJECT / "requirements").glob("*.txt"):
        assert "://" not in path.read_text()


def test_what_the_project_names_is_pinned(project: Any, names: Any) -> None:
    base = names["base.txt"] | {"torch"}

    assert _names(project["project"]["dependencies"]) <= base
    assert _names(project["dependency-groups"]["build"]) <= base
    assert _names(project["project"]["optional-dependencies"]["dev"]) <= base | names["dev.txt"]


def test_what_a_dependency_needs_is_pinned_beside_it(names: Any) -> None:
    """Nothing else would look for it: pip is told not to."""
    base = names["base.txt"] | {"torch"}
    for name in sorted(base):
        assert _names(distribution(name).requires or []) <= base | names["torch-cuda.txt"], name
    for name in sorted(names["dev.txt"]):
        assert _names(distribution(name).requires or []) <= base | names["dev.txt"], name


def test_both_builds_of_pytorch_are_of_one_version(locks: Any) -> None:
    pins = [*locks["torch-cpu.txt"], *locks["torch-cuda.txt"]]
    cpu, cuda = (str(pin.specifier) for pin, _hashes in pins if pin.name == "torch")

    assert cpu == f"{cuda}+cpu"


@pytest.mark.parametrize("torch", ["cpu", "cuda"])
def test_make_installs_nothing_without_a_hash_but_the_project_itself(torch: str) -> None:
    done = subprocess.run(
        ["make", "--dry-run", "--always-make", f"TORCH={torch}", ".venv/.installed-dev"],  # noqa: S607
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    installs = [line for line in done.stdout.splitlines() if "pip install" in line]
    hashed = [line for line in installs if "--require-hashes" in line]
    [other] = set(installs) - set(hashed)

    assert f"requirements/torch-{torch}.txt" in hashed[0]
    assert other.endswith("--no-index --no-deps --no-build-isolation --editable .")
