"""Scene JSON: `{"scenes": [...]}`, times in seconds, frames counted from 0.

Each scene has its times twice, as `start` and `end` and, for existing clients, as `start_time` and
`end_time`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contracts.atomic_file import replacing

_DECIMALS = 6


@dataclass(frozen=True)
class Scene:
    """From the first frame to the last one, `frame_end` included, and until the next one begins.

    `score` is the network's confidence, from 0 to 1, in the cut that opens the scene; that a
    video's first frame opens one is certain.
    """

    frame_start: int
    frame_end: int
    start: float
    end: float
    score: float

    @property
    def duration(self) -> float:
        return self.end - self.start


def write_scenes(path: Path, scenes: Iterable[Scene]) -> None:
    items = [
        {
            "id": number,
            **_times(scene),
            "duration": round(scene.duration, _DECIMALS),
            "frame_start": scene.frame_start,
            "frame_end": scene.frame_end,
            "score": round(scene.score, _DECIMALS),
        }
        for number, scene in enumerate(scenes, start=1)
    ]
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({"scenes": items}, indent=1, allow_nan=False) + "\n")


def _times(scene: Scene) -> dict[str, float]:
    start, end = round(scene.start, _DECIMALS), round(scene.end, _DECIMALS)
    return {"start": start, "end": end, "start_time": start, "end_time": end}
