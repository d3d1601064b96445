"""No other room imports Dagster's private parts, nor do tests, benchmarks and scripts."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from contracts.project import PROJECT

ROOM = PROJECT / "orchestration" / "dagster_internals"
#: What a package shows itself is public, be it a class or the package; modules in it are not.
PRIVATE = re.compile(r"dagster\._[a-z]|dagster_\w+\.[a-z]")


def test_only_the_room_imports_private_parts_of_dagster() -> None:
    folders = [each for each in PROJECT.iterdir() if each.is_dir() and each.name[0] != "."]
    files = [file for folder in folders for file in folder.rglob("*.py")]
    private = [
        f"{file.relative_to(PROJECT)}: {name}"
        for file in files
        if file.parent != ROOM
        for name in _imported(file)
        if PRIVATE.match(name)
    ]
    assert private == []


def test_what_the_room_imports_is_private() -> None:
    """Or the test above would see nothing."""
    names = [name for file in ROOM.glob("*.py") for name in _imported(file)]

    assert any(PRIVATE.match(name) for name in names)


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Import(names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module, names):
                yield from (f"{module}.{each.name}" for each in names)
