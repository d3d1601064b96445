"""WebVTT (https://www.w3.org/TR/webvtt1/): captions and chapters."""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from contracts.atomic_file import replacing

_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_SHORTEST_MILLISECONDS = 1


@dataclass(frozen=True)
class Cue:
    """A line of text from `start` to `end`, in seconds."""

    start: float
    end: float
    text: str


def write_webvtt(path: Path, cues: Iterable[Cue]) -> None:
    """The first line is exactly WEBVTT. Text is escaped and kept to one line."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        file.write("WEBVTT\n")
        for number, cue in enumerate(cues, start=1):
            start = round(cue.start * 1000)
            end = max(round(cue.end * 1000), start + _SHORTEST_MILLISECONDS)
            file.write(f"\n{number}\n{_time(start)} --> {_time(end)}\n{_text(cue.text)}\n")


def _time(milliseconds: int) -> str:
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"


def _text(text: str) -> str:
    """Without `<`, `&` and `-->`, which the format gives a meaning; never empty."""
    printable = _UNPRINTABLE.sub(" ", text.encode(errors="replace").decode()).strip()
    return html.escape(printable, quote=False) or "-"
