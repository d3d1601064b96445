"""The job `retention_sweep`: deletes old jobs and unused media, or says what it would delete."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pydantic
from dagster import Field, JobDefinition, MetadataValue, OpExecutionContext
from pydantic import BaseModel, NonNegativeFloat, PositiveInt

from contracts.home import Home
from orchestration.annotation.tables import table_metadata
from orchestration.dagster_internals.tags import SCHEDULE_NAME_TAG
from orchestration.maintenance.audit import AuditLog
from orchestration.maintenance.job import maintenance_job
from orchestration.maintenance.partitions import forget_media
from orchestration.maintenance.remover import Remover
from orchestration.maintenance.retention_plan import Policy, Removal, What, Why, plan
from orchestration.maintenance.stock import take_stock
from orchestration.settings import Settings

RETENTION_SWEEP = "retention_sweep"

_GRACE_HOURS = 24.0
_GIGABYTE = 1000**3
_DAY_SECONDS = 24 * 3600.0
_HOUR_SECONDS = 3600.0
_DESCRIPTION = """\
Deletes finished jobs with their results, media in the store that no job refers to, and leftovers
that nobody owns. **Without `dry_run: false` it only says what it would delete.**

- By age: what ended, or was used last, more than `days` ago.
- By space: the oldest of it, until `free_gb` are free.
- Never: jobs that have not ended, jobs to be kept (tag `user/keep`, or a file `keep` in the job's
  folder), the library's newest annotations, and whatever was used within `grace_hours`.

Every deletion is a line in `audit/retention.jsonl`. The schedule `nightly_retention` starts this
every night where `FRAMEGATE_RETENTION` is set."""
_COLUMNS = {
    "what": "a job, media in the store, or a leftover",
    "name": "the job's id, the media's SHA-256, or the path",
    "megabytes": "that it frees",
    "why": "by age, for space, or because it is nobody's",
}


class SweepConfig(BaseModel):
    dry_run: bool
    days: PositiveInt
    free_gb: NonNegativeFloat
    grace_hours: float = pydantic.Field(ge=1)


def build_retention_sweep(settings: Settings) -> JobDefinition:
    return maintenance_job(
        RETENTION_SWEEP,
        _sweep,
        home=settings.folders,
        description=_DESCRIPTION,
        config=_fields(settings),
    )


def _sweep(context: OpExecutionContext, home: Home) -> None:
    config = SweepConfig.model_validate(context.op_config)
    policy = Policy(
        now=time.time(),
        max_age=config.days * _DAY_SECONDS,
        grace=config.grace_hours * _HOUR_SECONDS,
        free_bytes=int(config.free_gb * _GIGABYTE),
    )
    audit = AuditLog(
        path=home.retention_audit,
        run_id=context.run_id,
        by=context.run.tags.get(SCHEDULE_NAME_TAG, "a person, in the Dagster UI"),
        dry_run=config.dry_run,
    )
    stock = take_stock(home, context.instance)
    planned = plan(stock, policy)
    context.log.info("%d of %d jobs may go", _count(planned, What.JOB), len(stock.jobs))
    if config.dry_run:
        audit.write(*planned)
        removed: Sequence[Removal] = planned
    else:
        removed = Remover(home, context.instance, policy, audit).remove(planned)
        forget_media(home, context.instance)
    context.add_output_metadata(_metadata(removed, dry_run=config.dry_run))


def _metadata(removed: Sequence[Removal], *, dry_run: bool) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dry_run": MetadataValue.bool(dry_run),
        "bytes_freed": MetadataValue.int(sum(removal.size_bytes for removal in removed)),
        "jobs": MetadataValue.int(_count(removed, What.JOB)),
        "media": MetadataValue.int(_count(removed, What.MEDIA)),
        "leftovers": MetadataValue.int(_count(removed, What.LEFTOVER)),
        "for_space": MetadataValue.int(sum(removal.why is Why.SPACE for removal in removed)),
    }
    if dry_run:
        metadata["note"] = "Nothing was deleted: this is what a sweep without `dry_run` would do."
    if removed:
        metadata["removals"] = table_metadata([_row(removal) for removal in removed], _COLUMNS)
    return metadata


def _row(removal: Removal) -> dict[str, str | float]:
    return {
        "what": removal.what.value,
        "name": removal.name,
        "megabytes": round(removal.size_bytes / 1e6, 1),
        "why": removal.why.value,
    }


def _count(removals: Sequence[Removal], what: What) -> int:
    return sum(removal.what is what for removal in removals)


def _fields(settings: Settings) -> Mapping[str, Field]:
    return {
        "dry_run": Field(
            bool, default_value=True, description="Only say what would be deleted, and log it."
        ),
        "days": Field(
            int,
            default_value=settings.retention_days,
            description="Age from which jobs and unused media are deleted, at least 1 "
            "(FRAMEGATE_RETENTION_DAYS).",
        ),
        "free_gb": Field(
            float,
            default_value=settings.retention_free_gb,
            description="Delete the oldest until so many gigabytes are free; 0 for any "
            "(FRAMEGATE_RETENTION_FREE_GB).",
        ),
        "grace_hours": Field(
            float,
            default_value=_GRACE_HOURS,
            description="What ended or was used within so many hours is spared in any case; at "
            "least 1, for uploads and submissions that are under way.",
        ),
    }
