"""The job `library_batch`: queues a job for each media of the library that lacks annotations.

It goes file by file, so that devices are at work while it still reads. Interrupted, it begins anew
where it was: what it has read is known by then, and what it has queued is found again.
"""

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster import (
    Array,
    DagsterRunStatus,
    Failure,
    Field,
    JobDefinition,
    MetadataValue,
    OpExecutionContext,
    RunsFilter,
)
from pydantic import BaseModel, PositiveInt

from contracts.home import Home
from contracts.run import LIBRARY_OWNER, OWNER_TAG
from orchestration.annotation.tables import table_metadata
from orchestration.maintenance.batch import Batch, Entry, Outcome
from orchestration.maintenance.job import maintenance_job
from orchestration.maintenance.library import media_files
from orchestration.maintenance.submission import enqueue
from orchestration.maintenance.wanted import Wanted, wanted_pipelines
from orchestration.settings import Settings
from pipelines.errors import ConfigError
from pipelines.registry.catalog import Catalog
from pipelines.registry.presets import load_presets

LIBRARY_BATCH = "library_batch"

_ATTEMPTS = 3
_NEWS_SECONDS = 60.0
_DESCRIPTION = """\
Walks the folders of the media library, and queues one job for each video that lacks a current
annotation: of the pipelines that it lacks, at a lower priority than people's jobs.

An annotation is current when the pipeline's version made it. What is queued or runs already, and
what failed too often in this version, is left alone. The schedule `nightly_batch` starts this
every night."""
_COLUMNS = {
    "file": "in the library",
    "outcome": "what became of it",
    "detail": "pipelines and the job, or why there is none",
}


class BatchConfig(BaseModel):
    roots: tuple[Path, ...]
    pipelines: tuple[str, ...]
    limit: PositiveInt
    attempts: PositiveInt


def build_library_batch(
    settings: Settings, catalog: Catalog, jobs: Sequence[JobDefinition]
) -> JobDefinition:
    """`jobs` are those that it queues."""
    by_name = {job.name: job for job in jobs}

    def work(context: OpExecutionContext, home: Home) -> None:
        config = BatchConfig.model_validate(context.op_config)
        wanted = _wanted(config, catalog, home)
        _enqueue_forgotten(context)
        batch = Batch(
            context.run,
            home=home,
            instance=context.instance,
            jobs=by_name,
            wanted=wanted,
            attempts=config.attempts,
        )
        entries = _Tally(context, config.limit)
        for entry in _missing_roots(config.roots):
            entries.add(entry)
        for path in media_files(config.roots):
            if entries.is_full:
                break
            entries.add(batch.take(path))
        context.add_output_metadata(entries.metadata())

    return maintenance_job(
        LIBRARY_BATCH,
        work,
        home=settings.folders,
        description=_DESCRIPTION,
        config=_fields(settings),
    )


class _Tally:
    """What the run shows: counts of all files, and a row for each that is not simply current."""

    def __init__(self, context: OpExecutionContext, limit: int) -> None:
        self._context = context
        self._limit = limit
        self._counts: Counter[Outcome] = Counter()
        self._entries: list[Entry] = []
        self._told_at = time.monotonic()

    @property
    def is_full(self) -> bool:
        return self._counts[Outcome.QUEUED] >= self._limit

    def add(self, entry: Entry) -> None:
        self._counts[entry.outcome] += 1
        if entry.outcome is not Outcome.CURRENT:
            self._entries.append(entry)
        if time.monotonic() - self._told_at > _NEWS_SECONDS:
            self._told_at = time.monotonic()
            self._context.log.info("%d files so far, last %s", self._counts.total(), entry.path)

    def metadata(self) -> dict[str, Any]:
        metadata: dict[str, Any] = {
            outcome.replace(" ", "_"): MetadataValue.int(self._counts[outcome])
            for outcome in Outcome
        }
        if self.is_full:
            metadata["limit"] = "reached: the files after it are looked at next time"
        if self._entries:
            order = list(Outcome)
            entries = sorted(self._entries, key=lambda entry: order.index(entry.outcome))
            metadata["files"] = table_metadata([_row(entry) for entry in entries], _COLUMNS)
        return metadata


def _row(entry: Entry) -> Mapping[str, str]:
    return {"file": str(entry.path), "outcome": entry.outcome.value, "detail": entry.detail}


def _fields(settings: Settings) -> Mapping[str, Field]:
    return {
        "roots": Field(
            Array(str),
            default_value=[str(root) for root in settings.library_roots],
            description="The folders of the library (FRAMEGATE_LIBRARY_ROOTS).",
        ),
        "pipelines": Field(
            Array(str),
            default_value=list(settings.batch_pipelines),
            description="Pipelines and presets that every video is to be annotated by; none for "
            "the pipelines that are enabled by default (FRAMEGATE_BATCH_PIPELINES).",
        ),
        "limit": Field(
            int,
            default_value=settings.batch_limit,
            description="Jobs to queue at most, at least 1 (FRAMEGATE_BATCH_LIMIT).",
        ),
        "attempts": Field(
            int,
            default_value=_ATTEMPTS,
            description="A video whose jobs failed so often in the same version of a pipeline is "
            "left alone until there is a new version, at least 1.",
        ),
    }


def _wanted(config: BatchConfig, catalog: Catalog, home: Home) -> Wanted:
    try:
        return wanted_pipelines(config.pipelines, catalog, load_presets(home.presets, catalog))
    except ConfigError as error:
        raise Failure(
            f"{error.code}: {error.message}", metadata={"hint": error.hint or ""}
        ) from error


def _enqueue_forgotten(context: OpExecutionContext) -> None:
    """Jobs that a batch made and could not queue before it was killed: no other one is at it."""
    forgotten = RunsFilter(tags={OWNER_TAG: LIBRARY_OWNER}, statuses=[DagsterRunStatus.NOT_STARTED])
    for run in context.instance.get_runs(forgotten):
        enqueue(run, context.instance)


def _missing_roots(roots: Sequence[Path]) -> Iterator[Entry]:
    for root in roots:
        if not root.is_dir():
            yield Entry(root, Outcome.UNREADABLE, "the folder is not there: is its disk mounted?")
