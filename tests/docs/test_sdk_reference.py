"""The reference of the SDK is what its docstrings say."""

import runpy
from typing import Any

from contracts.project import PROJECT


def test_the_page_is_as_new_as_the_docstrings(read_page: Any) -> None:
    script = runpy.run_path(str(PROJECT / "docs" / "sdk_reference.py"))

    assert read_page("docs/sdk.md").text == script["reference"](), "Run: make reference"
