"""Small JSON files that several processes read while one replaces them."""

import json
from collections.abc import Mapping
from pathlib import Path
from secrets import token_hex
from typing import Any


def read_json(path: Path) -> dict[str, Any] | None:
    """None where there is no such file, or no JSON object in it."""
    try:
        value = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """A reader sees the whole file or the one before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{token_hex(8)}")
    temporary.write_text(json.dumps(value))
    temporary.replace(path)
