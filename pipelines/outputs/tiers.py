"""Tiers: what was found, as segments of time for programs that show them in lanes, such as ELAN.

Each pipeline writes its own; a job's tiers together make its `.eaf`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contracts.atomic_file import replacing

_DECIMALS = 3


@dataclass(frozen=True)
class TierSegment:
    """From `start` to `end`, in seconds on the media's clock."""

    start: float
    end: float
    label: str


def write_tiers(path: Path, tiers: Mapping[str, Sequence[TierSegment]]) -> None:
    """Writes `{"tiers": {name: [{"start", "end", "label"}]}}`."""
    document = {
        name: [
            {
                "start": round(segment.start, _DECIMALS),
                "end": round(segment.end, _DECIMALS),
                "label": segment.label,
            }
            for segment in segments
        ]
        for name, segments in tiers.items()
    }
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({"tiers": document}, allow_nan=False) + "\n")


def without_overlap(name: str, segments: Iterable[TierSegment]) -> dict[str, list[TierSegment]]:
    """As few tiers as hold `segments` without overlap: `name`, then `name 2` and so on."""
    tiers: list[list[TierSegment]] = []
    for segment in sorted(segments, key=lambda each: (each.start, each.end)):
        free = next((tier for tier in tiers if tier[-1].end <= segment.start), None)
        if free is None:
            tiers.append([segment])
        else:
            free.append(segment)
    return {
        name if number == 1 else f"{name} {number}": tier for number, tier in enumerate(tiers, 1)
    }
