"""How much of a job's media was read, from what its pipelines' manifests say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Coverage:
    """None where nothing is known, as of results that an earlier version made."""

    complete: bool | None
    seconds: float | None


def coverage_of(manifest: Mapping[str, Any]) -> Coverage:
    """What one pipeline says; other authors' pipelines may write anything there."""
    complete, seconds = manifest.get("complete"), manifest.get("covered_seconds")
    return Coverage(
        complete if isinstance(complete, bool) else None,
        float(seconds) if isinstance(seconds, int | float) else None,
    )


def least(coverages: Iterable[Coverage]) -> Coverage:
    """Of several pipelines: what is complete is so for all that say."""
    known = list(coverages)
    told = [coverage.complete for coverage in known if coverage.complete is not None]
    seconds = [coverage.seconds for coverage in known if coverage.seconds is not None]
    return Coverage(all(told) if told else None, min(seconds, default=None))
