"""RTTM: who speaks when (NIST, The Rich Transcription Spring 2009 evaluation plan, appendix A)."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contracts.atomic_file import replacing

_NOT_IN_A_FIELD = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True)
class Turn:
    """A stretch of speech, in seconds."""

    start: float
    duration: float
    speaker: str


def write_rttm(path: Path, file_id: str, turns: Iterable[Turn]) -> None:
    """One SPEAKER line of 10 fields per turn; what a field cannot hold becomes an underscore."""
    file_id = _field(file_id)
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        for turn in turns:
            speaker = _field(turn.speaker)
            file.write(
                f"SPEAKER {file_id} 1 {turn.start:.3f} {turn.duration:.3f} "
                f"<NA> <NA> {speaker} <NA> <NA>\n"
            )


def _field(text: str) -> str:
    return _NOT_IN_A_FIELD.sub("_", text.encode(errors="replace").decode()) or "unknown"
