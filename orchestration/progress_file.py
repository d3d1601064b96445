"""How far each pipeline of a run is, in one small file that REST reads when asked."""

import json
import os
from contextlib import suppress
from pathlib import Path


class ProgressFile:
    """`{pipeline: fraction}`, replaced atomically; one process writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fractions: dict[str, float] = {}

    def write(self, pipeline: str, fraction: float) -> None:
        self._fractions[pipeline] = round(fraction, 4)
        temporary = self._path.with_suffix(".tmp")
        with suppress(OSError):  # a full disk fails whoever writes results, not who tells of them
            temporary.write_text(json.dumps(self._fractions))
            os.replace(temporary, self._path)  # noqa: PTH105 - the one call that says atomic
