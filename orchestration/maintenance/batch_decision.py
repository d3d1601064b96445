"""What the nightly batch does about one media: a pure decision."""

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

#: A pipeline on a media.
Pair = tuple[str, str]


@dataclass(frozen=True)
class Decision:
    """The wanted pipelines of one media, each in one of four places.

    Attributes:
        missing: nobody has annotated with this version, and nobody is at it: to be queued.
        busy: a job for it waits or runs.
        hopeless: so many jobs of this version failed that another one would fail, too.
    """

    current: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    hopeless: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


def decide(
    media: str,
    wanted: AbstractSet[str],
    *,
    current: AbstractSet[str],
    busy: AbstractSet[Pair],
    failures: Mapping[Pair, int],
    attempts: int,
) -> Decision:
    """`failures` counts, for each pair, earlier jobs of the batch that ended without annotation."""
    places: dict[str, list[str]] = {"current": [], "busy": [], "hopeless": [], "missing": []}
    for pipeline in sorted(wanted):
        pair = (media, pipeline)
        if pipeline in current:
            places["current"].append(pipeline)
        elif pair in busy:
            places["busy"].append(pipeline)
        elif failures.get(pair, 0) >= attempts:
            places["hopeless"].append(pipeline)
        else:
            places["missing"].append(pipeline)
    return Decision(**{place: tuple(names) for place, names in places.items()})


def batch_key(media: str, versions: Mapping[str, str], failures: Mapping[Pair, int]) -> str:
    """Equal for the same attempt at the same pipelines of the same versions on the same media."""
    about = [media, *((name, versions[name], failures.get((media, name), 0)) for name in versions)]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()
