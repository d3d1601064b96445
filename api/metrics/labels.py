"""Label values from outside: each distinct one is a time series for good, so they are counted."""

import re

OTHER = "other"

_MOST = 100
_SAFE = re.compile(r"[A-Za-z0-9_.\-]{1,80}")


class LabelValues:
    """Lets the first `most` distinct values of a label through; whatever comes later is `other`."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._known: set[str] = set()

    def bounded(self, value: str) -> str:
        if value in self._known:
            return value
        if len(self._known) >= self._most or not _SAFE.fullmatch(value):
            return OTHER
        self._known.add(value)
        return value
