"""What tests of the pinned dependencies share: the lock files, as they are installed from."""

from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from contracts.project import PROJECT

FOLDER = PROJECT / "requirements"


@pytest.fixture(scope="session")
def locks() -> dict[str, list[tuple[Requirement, int]]]:
    """Of each file, what it pins and how many hashes it admits for it."""
    return {path.name: _pins(path) for path in sorted(FOLDER.glob("*.txt"))}


@pytest.fixture(scope="session")
def names(locks: dict[str, list[tuple[Requirement, int]]]) -> dict[str, set[str]]:
    """Of each file, the packages that it pins for this Python on this platform."""
    return {
        name: {
            canonicalize_name(pin.name)
            for pin, _hashes in pins
            if pin.marker is None or pin.marker.evaluate()
        }
        for name, pins in locks.items()
    }


def _pins(path: Path) -> list[tuple[Requirement, int]]:
    lines = path.read_text().replace("\\\n", "").splitlines()
    lines = [line for line in lines if not line.startswith("#")]
    return [(Requirement(line.partition("--hash=")[0]), line.count("--hash=")) for line in lines]
