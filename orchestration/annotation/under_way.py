"""Which pipeline a run executes just now, in one small file: the supervisor counts its time."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.json_file import read_json, write_json


@dataclass(frozen=True)
class UnderWay:
    """`media_seconds` is how long the pipeline's media is."""

    pipeline: str
    media_seconds: float


@contextmanager
def tell_under_way(path: Path, under_way: UnderWay) -> Iterator[None]:
    """For as long as the block runs."""
    write_json(path, asdict(under_way))
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def read_under_way(path: Path) -> UnderWay | None:
    """None between pipelines, and for a file that a pipeline meddled with."""
    try:
        found = read_json(path) or {}
        return UnderWay(str(found["pipeline"]), float(found["media_seconds"]))
    except (OSError, KeyError, TypeError, ValueError):
        return None
