"""The file of a run, as its tag names it: names on disk need not be UTF-8, tags must be."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote_to_bytes

from contracts.run import INBOX_FILE_TAG

_URI = "file://"


def file_tag(path: Path) -> str:
    """The path, or its `file://` URI where it is not UTF-8."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return path.as_uri()
    return str(path)


def tagged_file(tags: Mapping[str, str]) -> Path | None:
    """None for a run that was not started for a file in the inbox."""
    tag = tags.get(INBOX_FILE_TAG)
    if tag is None:
        return None
    if tag.startswith(_URI):
        return Path(os.fsdecode(unquote_to_bytes(tag.removeprefix(_URI))))
    return Path(tag)
