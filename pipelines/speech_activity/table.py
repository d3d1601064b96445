"""The segments of speech as CSV, a row for each, and as a tier."""

from collections.abc import Sequence
from pathlib import Path

from pipelines.outputs.csv_table import write_csv
from pipelines.outputs.tiers import TierSegment, write_tiers
from pipelines.speech_activity.segments import Segment

_COLUMNS = ("segment", "start_seconds", "end_seconds", "duration_seconds")


def write_speech_table(path: Path, segments: Sequence[Segment]) -> None:
    rows = (
        (number, *(round(each, 3) for each in (segment.start, segment.end, segment.duration)))
        for number, segment in enumerate(segments, start=1)
    )
    write_csv(path, _COLUMNS, rows)


def write_speech_tiers(path: Path, segments: Sequence[Segment]) -> None:
    labelled = [TierSegment(segment.start, segment.end, "speech") for segment in segments]
    write_tiers(path, {"speech": labelled})
