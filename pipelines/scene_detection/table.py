"""The scenes as CSV, a row for each, and as a tier."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.outputs.csv_table import write_csv
from pipelines.outputs.scenes import Scene
from pipelines.outputs.tiers import TierSegment, write_tiers

_TIMES = ("start_seconds", "end_seconds", "duration_seconds")
_COLUMNS = ("scene", *_TIMES, "first_frame", "last_frame", "score")


def write_scene_table(path: Path, scenes: Sequence[Scene]) -> None:
    rows = (
        (
            number,
            *(round(seconds, 3) for seconds in (scene.start, scene.end, scene.duration)),
            scene.frame_start,
            scene.frame_end,
            round(scene.score, 4),
        )
        for number, scene in enumerate(scenes, start=1)
    )
    write_csv(path, _COLUMNS, rows)


def write_scene_tiers(path: Path, scenes: Sequence[Scene]) -> None:
    segments = [
        TierSegment(scene.start, scene.end, f"scene {number}")
        for number, scene in enumerate(scenes, start=1)
    ]
    write_tiers(path, {"scenes": segments})
