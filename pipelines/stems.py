"""What result files are named after: a media's name made safe for file systems and RTTM."""

import re
import unicodedata
from pathlib import PurePosixPath

_MOST_BYTES = 120  # leaves room for a suffix in the 255 that file systems allow
_NAMELESS = "media"
#: Zero width joiner and non-joiner only tell how letters are drawn.
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d"))
_UNSAFE = "\0"


def safe_stem(name: str) -> str:
    """The name without folder and suffix, in Unicode's form NFC: letters with their marks, digits,
    dots, dashes and underscores, at most 120 bytes in UTF-8, never empty.
    """
    stem = PurePosixPath(name.replace("\\", "/")).stem.translate(_JOINERS)
    kept = ""
    for character in unicodedata.normalize("NFC", stem):
        kept += character if _is_safe(character, after=kept[-1:]) else _UNSAFE
    return _shortened(re.sub(f"{_UNSAFE}+", "_", kept)).strip("._-") or _NAMELESS


def _is_safe(character: str, after: str) -> bool:
    if _is_mark(character):
        return after.isalnum() or _is_mark(after)
    return character.isalnum() or character in "_.-"


def _is_mark(character: str) -> bool:
    return bool(character) and unicodedata.category(character).startswith("M")


def _shortened(stem: str) -> str:
    """Cuts `stem` between two letters, never between a letter and its marks."""
    end = len(stem.encode()[:_MOST_BYTES].decode(errors="ignore"))
    while _is_mark(stem[end : end + 1]):
        end -= 1
    return stem[:end]
