"""Whether the preset files are still those that were loaded."""

from enum import Enum
from pathlib import Path

from pipelines.registry.presets import preset_files


class Change(Enum):
    NONE = "none"
    UNDER_WAY = "under way"
    DONE = "done"


class PresetFiles:
    """Remembers the files as they were when it was made: to be made before they are loaded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded = self._seen = _state(folder)

    def look(self) -> Change:
        """A change is done once two looks in a row have seen the same."""
        now, before = _state(self._folder), self._seen
        self._seen = now
        if now == self._loaded:
            return Change.NONE
        return Change.DONE if now == before else Change.UNDER_WAY


def _state(folder: Path) -> dict[Path, tuple[int, int]]:
    state = {}
    for path in preset_files(folder):
        try:
            status = path.stat()
        except OSError:
            continue
        state[path] = (status.st_mtime_ns, status.st_size)
    return state
