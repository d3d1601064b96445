"""What a pipeline says it found: counts, files, timings. The op shows it, the manifest keeps it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a result file is for.

    Attributes:
        ANNOTATIONS: what was found, for programs.
        PREVIEW: a picture of it, for people; the first one is shown in the Dagster UI.
        VIDEO: the media with what was found drawn into it.
        DATASET: COCO that other programs import; it has a folder of its own in a job's ZIP.
        TIERS: what a job's ELAN document (`.eaf`) is made of.

    Example:
        >>> Role.PREVIEW.value
        'preview'
    """

    ANNOTATIONS = "annotations"
    PREVIEW = "preview"
    VIDEO = "video"
    DATASET = "dataset"
    TIERS = "tiers"


@dataclass(frozen=True)
class ResultFile:
    """A file in the pipeline's result folder.

    Attributes:
        name: of the file in that folder, without a folder.
        role: what it is for.
        media_type: by IANA's list: "text/csv".

    Example:
        >>> ResultFile("lamp_brightness.csv", Role.ANNOTATIONS, "text/csv").name
        'lamp_brightness.csv'
    """

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
    """The outcome of one pipeline on one media, checked when `annotate` has returned it: what is
    wrong in it fails the pipeline with `PIPELINE_FAILED`, in its author's words.

    Attributes:
        count: how many annotations were found, 0 or more.
        noun: what is counted, in the plural: "scenes".
        files: the results, each of which lies in the folder.
        table: at most a few dozen rows for people to read; the same keys in each row.
        columns: what a column of the table holds, with its unit; a column may be left out.
        device: "cpu", or "cuda:0 NVIDIA H100" and the like: where inference ran.
        timings: of a `Stopwatch`.
        notes: what a reader must know ("The video has no sound.").
        coverage: how much of the media was read (`Damage.coverage`); None where there was nothing
            to read.
        facts: further numbers worth showing ("tracks": 3, "frames": 1200).

    Example:
        >>> found = Findings(
        ...     count=2,
        ...     noun="dark seconds",
        ...     files=[ResultFile("lamp_brightness.csv", Role.ANNOTATIONS, "text/csv")],
        ...     device="cpu",
        ...     timings=Stopwatch().timings,
        ...     table=[{"start": 1, "brightness": 0.08}, {"start": 2, "brightness": 0.09}],
        ...     columns={"start": "seconds", "brightness": "mean, from 0 to 1"},
        ... )
        >>> found.notes
        ()
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
