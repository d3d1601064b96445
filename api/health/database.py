"""The adapter's own database, and how many jobs Dagster's holds."""

import asyncio

from api.dagster.client import DagsterClient
from api.dagster.run import RunFilter
from api.database.database import Database
from api.health.deadline import Deadline, ProbeError
from api.health.report import DatabaseHealth, PartStatus
from contracts.run import KIND, KIND_TAG


async def probe_database(
    database: Database, dagster: DagsterClient, deadline: Deadline
) -> DatabaseHealth:
    version, jobs = await asyncio.gather(
        deadline.call("database", database.schema_version),
        deadline.wait(_count_jobs(dagster)),
        return_exceptions=True,
    )
    jobs_count = None if isinstance(jobs, BaseException) else jobs
    if isinstance(version, ProbeError):
        return DatabaseHealth(
            status=PartStatus.ERROR, schema_version=None, jobs_count=jobs_count, error=str(version)
        )
    return DatabaseHealth(
        status=PartStatus.OK, schema_version=version, jobs_count=jobs_count, error=None
    )


async def _count_jobs(dagster: DagsterClient) -> int | None:
    jobs = RunFilter(tags={KIND_TAG: KIND})
    page = await dagster.runs(jobs, limit=1, counted=jobs)
    return page.total
