"""What happened, one record a line: requests with their answers, kills, samples, and the end.

Times are seconds of one monotonic clock since the soak began.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Lock


@dataclass(frozen=True)
class Begun:
    """How the soak was started: the same seed makes the same decisions again."""

    seed: int
    minutes: float
    database: str
    at: float = 0.0


@dataclass(frozen=True)
class Request:
    """One request and its answer.

    Attributes:
        status: the HTTP status; None where the connection was cut, and nobody knows.
        code: the error's code; `complaint` is its message.
        submission: which submission it is a try of; each has a name of its own, a tag of its run.
        job: the job asked about, or the one that was answered.
        state: the job's status as answered.
    """

    began: float
    ended: float
    action: str
    status: int | None
    code: str = ""
    submission: str = ""
    job: str = ""
    state: str = ""
    complaint: str = ""


@dataclass(frozen=True)
class Kill:
    """SIGKILL, at one moment, to all of these processes."""

    at: float
    target: str
    pids: Sequence[int]


@dataclass(frozen=True)
class StackTold:
    """What `framegate up` said."""

    at: float
    event: str
    detail: str = ""


@dataclass(frozen=True)
class Sample:
    """Memory in bytes and open file handles of one long-lived process."""

    at: float
    part: str
    pid: int
    memory: int
    handles: int


@dataclass(frozen=True)
class Leases:
    """Which runs held a lease of a device at that moment."""

    at: float
    runs: Sequence[str]


@dataclass(frozen=True)
class Run:
    """A run as it lies in Dagster's storage at the end, and the folder of its job.

    Attributes:
        submission: the tag that its submission gave it.
        behaviour: how the misbehaving pipeline was asked to end, if it was selected.
        parent: the run that it retries.
        endings: the types of its terminal events.
        wanted: the pipelines that were asked for.
        whole: those whose manifest and files lie published, with the right hashes.
        broken: what else lies in its folder that must not.
    """

    run_id: str
    status: str
    submission: str = ""
    behaviour: str = ""
    parent: str = ""
    endings: Sequence[str] = ()
    wanted: Sequence[str] = ()
    whole: Sequence[str] = ()
    broken: Sequence[str] = ()


@dataclass(frozen=True)
class Drained:
    """What is still held or lies about when all is done, while the stack stands."""

    leases: Sequence[str] = ()
    sockets: Sequence[str] = ()
    uploads: Sequence[str] = ()
    folders_without_run: Sequence[str] = ()
    processes: Sequence[str] = ()


@dataclass(frozen=True)
class Stopped:
    """What is left once the stack was told to stop."""

    exit_code: int
    processes: Sequence[str] = ()
    ports: Sequence[int] = ()


Record = Begun | Request | Kill | StackTold | Sample | Leases | Run | Drained | Stopped

_KINDS: dict[str, type[Record]] = {
    kind.__name__: kind
    for kind in (Begun, Request, Kill, StackTold, Sample, Leases, Run, Drained, Stopped)
}


@dataclass
class History:
    """Appends records to a file, from any thread; what was written stays, whatever happens."""

    path: Path
    _lock: Lock = field(default_factory=Lock, init=False)

    def add(self, record: Record) -> None:
        line = json.dumps({"kind": type(record).__name__, **asdict(record)})
        with self._lock, self.path.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")


def read_history(path: Path) -> Iterator[Record]:
    """Raises ValueError, KeyError or TypeError for what is not a history."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            values = json.loads(line)
            yield _KINDS[values.pop("kind")](**values)
