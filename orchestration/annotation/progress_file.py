"""How far each pipeline of a run is, in one small file that REST reads when asked."""

import json
from contextlib import suppress
from pathlib import Path

from contracts.atomic_file import replacing
from contracts.json_file import read_json


class ProgressFile:
    """`{pipeline: fraction}`, replaced atomically; one process writes it, one pipeline at a time.

    What the pipelines before have written stays: a failed one keeps how far it came.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._fractions = read_json(path) or {}

    def clear(self) -> None:
        """Of a worker that was lost, before the run begins once more."""
        self._fractions = {}
        self._path.unlink(missing_ok=True)

    def write(self, pipeline: str, fraction: float) -> None:
        self._fractions[pipeline] = round(fraction, 4)
        # A full disk should fail the writing of results, not the progress.
        with suppress(OSError), replacing(self._path) as temporary:
            temporary.write_text(json.dumps(self._fractions))
