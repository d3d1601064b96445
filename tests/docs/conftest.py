"""What tests of the documentation share: its pages, and the fenced blocks in them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from contracts.project import PROJECT

_FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    path: Path
    text: str

    def blocks(self, language: str) -> list[str]:
        return [text for named, text in _FENCED.findall(self.text) if named == language]

    @property
    def prose(self) -> str:
        return _FENCED.sub("", self.text)

    def section(self, heading: str) -> "Page":
        """From the heading to the next one of the same level."""
        _, found, rest = self.text.partition(f"\n{heading}\n")
        assert found, f"{self.path} has no {heading!r}"
        level = heading.partition(" ")[0]
        return Page(self.path, re.split(rf"^{level} ", rest, maxsplit=1, flags=re.MULTILINE)[0])


ReadPage = Callable[[str], Page]


@pytest.fixture(scope="session")
def read_page() -> ReadPage:
    """Reads a page by its path in the repository."""
    return lambda name: Page(PROJECT / name, (PROJECT / name).read_text())


@pytest.fixture(scope="session")
def pages(read_page: ReadPage) -> list[Page]:
    """Every page of the documentation."""
    folders = (PROJECT.glob("*.md"), (PROJECT / "docs").rglob("*.md"))
    found = [path for folder in folders for path in sorted(folder)]
    assert PROJECT / "README.md" in found
    return [read_page(str(path.relative_to(PROJECT))) for path in found]
