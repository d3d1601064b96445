"""COCO JSON (https://cocodataset.org/#format-data), written as a stream."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from contracts.atomic_file import replacing


def write_coco(
    path: Path,
    *,
    info: Mapping[str, Any],
    annotations: Iterable[Mapping[str, Any]],
    images: Iterable[Mapping[str, Any]],
    categories: Iterable[Mapping[str, Any]],
) -> None:
    """Writes `annotations` before `images`, as clients read a file's head to recognise it.

    The iterables are consumed one item at a time, so they may be longer than memory.
    Raises ValueError for NaN and infinity, which JSON does not have.
    """
    sections = {"annotations": annotations, "images": images, "categories": categories}
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write('{"info": ' + _json(info))
        for name, items in sections.items():
            file.write(f',\n"{name}": [')
            _write_items(file, items)
            file.write("]")
        file.write("}\n")


def _write_items(file: TextIO, items: Iterable[Mapping[str, Any]]) -> None:
    separator = "\n"
    for item in items:
        file.write(separator + _json(item))
        separator = ",\n"


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, allow_nan=False)
