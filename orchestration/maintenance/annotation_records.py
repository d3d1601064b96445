"""What Dagster's records say of the library: annotations that are there, and jobs about them."""

from collections import Counter
from collections.abc import Iterator, Mapping

from dagster import (
    AssetRecordsFilter,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunsFilter,
)

from contracts.run import LIBRARY_OWNER, MEDIA_TAG, OWNER_TAG, VERSION_TAG_PREFIX, pipelines_of
from orchestration.annotation.asset_keys import asset_key
from orchestration.dagster_internals.data_versions import CODE_VERSION_TAG
from orchestration.maintenance.batch_decision import Pair

UNDER_WAY = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.CANCELING,
]
_IN_VAIN = [DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_PAGE = 500


class Annotations:
    """Which media have an annotation of each pipeline's version; the last one counts."""

    def __init__(self, instance: DagsterInstance, versions: Mapping[str, str]) -> None:
        self._instance = instance
        self._versions = versions
        self._last = {name: _last_records(instance, name) for name in versions}

    def current(self, media: str) -> frozenset[str]:
        """The pipelines whose last annotation of the media was made by their present version."""
        return frozenset(name for name in self._versions if self._is_current(name, media))

    def _is_current(self, pipeline: str, media: str) -> bool:
        record = self._last[pipeline].get(media)
        if record is None:
            return False
        found = self._instance.fetch_materializations(
            AssetRecordsFilter(asset_key=asset_key(pipeline), storage_ids=[record]), limit=1
        ).records
        made = found[0].asset_materialization if found else None
        return (
            made is not None
            and (made.tags or {}).get(CODE_VERSION_TAG) == (self._versions[pipeline])
        )


def pairs_under_way(instance: DagsterInstance) -> set[Pair]:
    """The media and pipelines of jobs that wait or run."""
    return {
        (run.tags[MEDIA_TAG], pipeline)
        for run in pages(instance, RunsFilter(statuses=UNDER_WAY))
        if MEDIA_TAG in run.tags
        for pipeline in pipelines_of(run.tags, run.job_name)
    }


def failures_of_batches(instance: DagsterInstance, versions: Mapping[str, str]) -> Counter[Pair]:
    """How many jobs of earlier batches, of these versions, ended otherwise than well."""
    in_vain = RunsFilter(tags={OWNER_TAG: LIBRARY_OWNER}, statuses=_IN_VAIN)
    return Counter(
        (run.tags[MEDIA_TAG], pipeline)
        for run in pages(instance, in_vain)
        for pipeline, version in versions.items()
        if run.tags.get(VERSION_TAG_PREFIX + pipeline) == version
    )


def pages(instance: DagsterInstance, runs_filter: RunsFilter) -> Iterator[DagsterRun]:
    """All such runs, newest first, a bounded number of them in memory."""
    cursor = None
    while runs := instance.get_runs(runs_filter, cursor=cursor, limit=_PAGE):
        yield from runs
        cursor = runs[-1].run_id


def _last_records(instance: DagsterInstance, pipeline: str) -> Mapping[str, int]:
    """By media."""
    return instance.get_latest_storage_id_by_partition(
        asset_key(pipeline), DagsterEventType.ASSET_MATERIALIZATION
    )
