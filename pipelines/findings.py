"""What a pipeline says it found: counts, files, timings. The op shows it, the manifest keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    ANNOTATIONS = "annotations"
    PREVIEW = "preview"
    VIDEO = "video"
    #: COCO that other programs import; it has a folder of its own in a job's ZIP.
    DATASET = "dataset"
    #: What a job's `.eaf` is made of; see `pipelines/outputs/tiers.py`.
    TIERS = "tiers"


@dataclass(frozen=True)
class ResultFile:
    """A file in the pipeline's result folder; `name` is relative to it, without a folder."""

    name: str
    role: Role
    media_type: str


@dataclass(frozen=True)
class Timings:
    """Seconds of wall clock in which each kind of work kept the pipeline waiting."""

    decode_seconds: float
    inference_seconds: float
    write_seconds: float


@dataclass(frozen=True)
class Coverage:
    """How much of a media was read.

    Attributes:
        complete: whether all of it was: not where the file is damaged or cut off.
        seconds: how many seconds of it.
    """

    complete: bool
    seconds: float


@dataclass(frozen=True)
class Findings:
    """The outcome of one pipeline on one media.

    Attributes:
        count: how many annotations were found, in units of `noun` (plural: "scenes").
        table: at most a few dozen rows for people to read; the same keys in each row.
        columns: what a column of the table holds, with its unit; a column may be left out.
        device: "cpu", or "cuda:0 NVIDIA H100" and the like: where inference ran.
        notes: what a reader must know ("The video has no sound.").
        coverage: how much of the media was read (`Damage.coverage`); None where there was nothing
            to read.
        facts: further numbers worth showing ("tracks": 3, "frames": 1200).
    """

    count: int
    noun: str
    files: Sequence[ResultFile]
    device: str
    timings: Timings
    table: Sequence[Mapping[str, str | int | float]] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    coverage: Coverage | None = None
    facts: Mapping[str, str | int | float] = field(default_factory=dict)
