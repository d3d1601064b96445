"""One night's batch: what becomes of each file of the library."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dagster import DagsterInstance, DagsterRun, JobDefinition, RunsFilter

from contracts.cached_file import CachedFile
from contracts.home import Home
from contracts.run import (
    BATCH_KEY_TAG,
    LIBRARY_OWNER,
    VERSION_TAG_PREFIX,
    MediaFacts,
    Submission,
)
from contracts.timestamps import now
from orchestration.inbox.probing import ProbeCutOffError
from orchestration.maintenance.annotation_records import (
    UNDER_WAY,
    Annotations,
    failures_of_batches,
    pairs_under_way,
)
from orchestration.maintenance.batch_decision import Decision, batch_key, decide
from orchestration.maintenance.library import know
from orchestration.maintenance.submission import submit
from orchestration.maintenance.wanted import Wanted
from pipelines.errors import MediaError

#: Whoever waits for a job stands before the library.
_PRIORITY = -1


class Outcome(StrEnum):
    """In the order in which people want to read of them."""

    UNREADABLE = "unreadable"
    HOPELESS = "given up"
    QUEUED = "queued"
    BUSY = "under way"
    SAME = "same content"
    CURRENT = "current"


@dataclass(frozen=True)
class Entry:
    """A file and what became of it; `detail` names pipelines, the job or the defect."""

    path: Path
    outcome: Outcome
    detail: str = ""


class Batch:
    """Belongs to the maintenance run `run`, whose code location the queued jobs share."""

    def __init__(
        self,
        run: DagsterRun,
        *,
        home: Home,
        instance: DagsterInstance,
        jobs: Mapping[str, JobDefinition],
        wanted: Wanted,
        attempts: int,
    ) -> None:
        self._run = run
        self._home = home
        self._instance = instance
        self._jobs = jobs
        self._wanted = wanted
        self._attempts = attempts
        self._annotations = Annotations(instance, wanted.versions)
        self._busy = pairs_under_way(instance)
        self._failures = failures_of_batches(instance, wanted.versions)
        self._seen: set[str] = set()

    def take(self, path: Path) -> Entry:
        """Queues a job for the file if it lacks annotations that one may give it."""
        try:
            known = know(self._home, path)
        except (MediaError, ProbeCutOffError) as error:
            return Entry(path, Outcome.UNREADABLE, str(error))
        if known.sha256 in self._seen:
            return Entry(path, Outcome.SAME, "as a file before it")
        self._seen.add(known.sha256)
        decision = decide(
            known.sha256,
            set(self._wanted.config),
            current=self._annotations.current(known.sha256),
            busy=self._busy,
            failures=self._failures,
            attempts=self._attempts,
        )
        if decision.missing:
            return self._queue(known, decision)
        if decision.hopeless:
            why = f"{', '.join(decision.hopeless)} failed {self._attempts} times"
            return Entry(path, Outcome.HOPELESS, why)
        if decision.busy:
            return Entry(path, Outcome.BUSY, ", ".join(decision.busy))
        return Entry(path, Outcome.CURRENT)

    def _queue(self, known: CachedFile, decision: Decision) -> Entry:
        versions = {name: self._wanted.versions[name] for name in decision.missing}
        key = batch_key(known.sha256, versions, self._failures)
        if self._instance.get_runs_count(RunsFilter(tags={BATCH_KEY_TAG: key}, statuses=UNDER_WAY)):
            return Entry(known.path, Outcome.BUSY, ", ".join(decision.missing))
        tags = {BATCH_KEY_TAG: key}
        tags |= {VERSION_TAG_PREFIX + name: version for name, version in versions.items()}
        run = submit(
            self._submission(known, decision),
            {**self._wanted.tags, **tags},
            jobs=self._jobs,
            instance=self._instance,
            origin_of=self._run,
        )
        return Entry(known.path, Outcome.QUEUED, f"{', '.join(decision.missing)}: {run.run_id}")

    def _submission(self, known: CachedFile, decision: Decision) -> Submission:
        return Submission(
            media=str(known.path),
            media_hash=known.sha256,
            facts=MediaFacts(
                filename=known.facts["name"],
                size_bytes=known.facts["size_bytes"],
                duration_seconds=known.facts["duration_seconds"],
            ),
            pipelines=decision.missing,
            config={name: self._wanted.config[name] for name in decision.missing},
            owner=LIBRARY_OWNER,
            submitted_at=now(),
            request_id=self._run.run_id,
            priority=_PRIORITY,
        )
