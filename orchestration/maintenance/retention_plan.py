"""What a sweep would delete: a pure decision from what there is.

By age: jobs that ended, and media of no job that were used, so long ago. By space: the oldest of
both, until enough is free. Never: a job that has not ended or is to be kept, media that a remaining
job refers to, or anything that ended or was used within the grace period.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class What(StrEnum):
    JOB = "job"
    MEDIA = "media"
    LEFTOVER = "leftover"


class Why(StrEnum):
    AGE = "age"
    SPACE = "space"
    NOBODYS = "nobody's"


@dataclass(frozen=True)
class StoredJob:
    """A run and its folder. Times in seconds since the epoch.

    Attributes:
        ended_at: None for one that has not ended.
        media: what it refers to in the media store, by SHA-256.
        parent: the job that it retries.
        keep: whether somebody wants it kept for good.
        library: what it annotated, as pairs of media and pipeline, if it did so for a library
            that still has the media.
        inbox: the run key by which the inbox knows that it has run a file, if that is still there.
    """

    run_id: str
    ended_at: float | None
    size_bytes: int = 0
    media: str | None = None
    parent: str | None = None
    keep: bool = False
    library: frozenset[tuple[str, str]] = frozenset()
    inbox: str | None = None


@dataclass(frozen=True)
class StoredMedia:
    sha256: str
    last_used: float
    size_bytes: int = 0


@dataclass(frozen=True)
class Leftover:
    """Files that no run, media or upload owns."""

    path: str
    changed_at: float
    size_bytes: int = 0


@dataclass(frozen=True)
class Stock:
    jobs: Sequence[StoredJob] = ()
    media: Sequence[StoredMedia] = ()
    leftovers: Sequence[Leftover] = ()
    free_bytes: int = 0


@dataclass(frozen=True)
class Policy:
    """Ages in seconds; `free_bytes` is what shall be free, 0 for any."""

    now: float
    max_age: float
    grace: float
    free_bytes: int = 0


@dataclass(frozen=True)
class Removal:
    """`name` is the id of a run, the SHA-256 of media or the path of a leftover."""

    what: What
    name: str
    size_bytes: int
    why: Why


def plan(stock: Stock, policy: Policy) -> tuple[Removal, ...]:
    """In the order in which it is to be done: leftovers, then jobs and media from the oldest on."""
    return tuple(_Sweep(stock, policy).removals())


class _Sweep:
    """Keeps count of what is free, and of who refers to which media, while the plan is made."""

    def __init__(self, stock: Stock, policy: Policy) -> None:
        self._stock = stock
        self._policy = policy
        self._free = stock.free_bytes
        self._references = Counter(job.media for job in stock.jobs if job.media)
        self._media = {media.sha256: media for media in stock.media}

    def removals(self) -> Iterator[Removal]:
        for leftover in self._stock.leftovers:
            if self._is_past_grace(leftover.changed_at):
                yield self._remove(What.LEFTOVER, leftover.path, leftover.size_bytes, Why.NOBODYS)
        unused = [media for media in self._stock.media if not self._references[media.sha256]]
        candidates: list[tuple[float, StoredJob | StoredMedia]] = [
            *((job.ended_at or 0.0, job) for job in removable(self._stock.jobs)),
            *((media.last_used, media) for media in unused),
        ]
        for _time, candidate in sorted(candidates, key=lambda timed: timed[0]):
            if isinstance(candidate, StoredMedia):
                yield from self._consider_media(candidate)
            else:
                yield from self._consider_job(candidate)

    def _consider_job(self, job: StoredJob) -> Iterator[Removal]:
        """The last job that refers to a media takes it along if that is to go as well."""
        why = self._why(job.ended_at or 0.0)
        if why is None:
            return
        yield self._remove(What.JOB, job.run_id, job.size_bytes, why)
        if job.media is None:
            return
        self._references[job.media] -= 1
        media = self._media.get(job.media)
        if media is not None and not self._references[job.media]:
            yield from self._consider_media(media)

    def _consider_media(self, media: StoredMedia) -> Iterator[Removal]:
        if why := self._why(media.last_used):
            yield self._remove(What.MEDIA, media.sha256, media.size_bytes, why)

    def _why(self, time: float) -> Why | None:
        if not self._is_past_grace(time):
            return None
        if time < self._policy.now - self._policy.max_age:
            return Why.AGE
        return Why.SPACE if self._free < self._policy.free_bytes else None

    def _is_past_grace(self, time: float) -> bool:
        return time < self._policy.now - self._policy.grace

    def _remove(self, what: What, name: str, size_bytes: int, why: Why) -> Removal:
        self._free += size_bytes
        return Removal(what, name, size_bytes, why)


def removable(jobs: Sequence[StoredJob]) -> list[StoredJob]:
    """Jobs that have ended and can be deleted."""
    parents_at_work = {job.parent for job in jobs if job.ended_at is None}
    newest = _newest_of_library(jobs) | _newest_of_inbox(jobs)
    return [
        job
        for job in jobs
        if job.ended_at is not None
        and not job.keep
        and job.run_id not in parents_at_work
        and job.run_id not in newest
    ]


def _newest_of_library(jobs: Sequence[StoredJob]) -> set[str]:
    """Without these, the next nightly batch would do the same work again."""
    newest: dict[tuple[str, str], StoredJob] = {}
    for job in sorted(jobs, key=lambda job: job.ended_at or 0.0):
        newest |= dict.fromkeys(job.library, job)
    return {job.run_id for job in newest.values()}


def _newest_of_inbox(jobs: Sequence[StoredJob]) -> set[str]:
    """Without these, the inbox would run a file again whenever it has to look through all."""
    in_order = sorted(jobs, key=lambda job: job.ended_at or 0.0)
    return set({job.inbox: job.run_id for job in in_order if job.inbox}.values())
