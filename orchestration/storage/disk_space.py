"""Room for what a run writes about itself: events and tags are begun only when they fit.

A write that fails half-way would leave a run half told. So whoever tells how a run goes waits
until there is room, which pipelines and uploads, whose own writes fail at once, leave again.
"""

import shutil
import time
from pathlib import Path

#: More than all that is written about a run from its start to its end.
RESERVE_BYTES = 2 * 2**20
_LOOK_SECONDS = 0.5


def has_room(folder: Path) -> bool:
    """Whether the disk that the folder lies on has it."""
    return shutil.disk_usage(folder).free >= RESERVE_BYTES


def await_room(folder: Path) -> None:
    """Returns when somebody has made room, however long that takes."""
    while not has_room(folder):
        time.sleep(_LOOK_SECONDS)
