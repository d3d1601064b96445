"""Every dependency's licence is known, listed, and permissive or excused."""

import re
import runpy
from typing import Any

import pytest

from contracts.project import PROJECT


@pytest.fixture(scope="module")
def licences() -> dict[str, Any]:
    """What `requirements/licences.py` defines; nothing imports it by name."""
    return runpy.run_path(str(PROJECT / "requirements" / "licences.py"))


@pytest.fixture(scope="module")
def packages(licences: Any) -> list[Any]:
    """What is installed of what is pinned."""
    found: list[Any] = licences["installed"]()
    return found


def test_the_page_lists_what_is_installed(licences: Any, packages: Any) -> None:
    """Some versions depend on Python's; the page has those of one Python."""
    rows = re.findall(
        r"^\| (\S+) \| (\d\S*) \| (.+) \|$", licences["PAGE"].read_text(), re.MULTILINE
    )
    pinned = licences["pinned"]()

    assert {name: licence for name, _version, licence in rows} == {
        each.name: each.licence for each in packages
    }, "run `make licences`"
    for name, version, _licence in rows:
        assert version in pinned[name], "run `make licences`"


def test_all_that_is_pinned_for_this_platform_is_listed(names: Any, packages: Any) -> None:
    here = set().union(*(pinned for file, pinned in names.items() if file != "torch-cuda.txt"))

    assert here - {each.name for each in packages} == set()


def test_every_licence_is_permissive_or_excused(licences: Any, packages: Any) -> None:
    refused = {each.name for each in packages if not each.is_permissive}

    assert refused == set(licences["EXCUSED"])


def test_a_licence_that_is_not_permissive_is_noticed(licences: Any) -> None:
    package = licences["Package"]

    assert package("one", "1", "MIT OR Apache-2.0").is_permissive
    assert not package("two", "1", "MIT AND GPL-3.0-only").is_permissive
