"""Runs started from Dagster's catalog: "Materialize" on a pipeline's annotations of some media.

They execute the pipelines' ops alone, each with its default config. They are jobs like all others,
so they are given the tags of one when they enter the queue.
"""

from collections.abc import Mapping, Sequence

from dagster import DagsterInstance, DagsterRun, RunsFilter
from dagster._core.storage.tags import PARTITION_NAME_TAG

from contracts.run import (
    FILENAME_TAG,
    KIND,
    KIND_TAG,
    MEDIA_FACTS_TAG,
    MEDIA_TAG,
    pipeline_tags,
)
from orchestration.asset_keys import pipelines_of_assets

_EARLIER_RUNS = 10


def complete_asset_run(run: DagsterRun, instance: DagsterInstance) -> None:
    """Puts the tags of a job on the run if it was started from the catalog."""
    media = run.tags.get(PARTITION_NAME_TAG)
    if not run.asset_selection or media is None:
        return
    earlier = instance.get_runs(RunsFilter(tags={MEDIA_TAG: media}), limit=_EARLIER_RUNS)
    pipelines = pipelines_of_assets(run.asset_selection)
    tags = asset_run_tags(pipelines, media, [other.tags for other in earlier])
    instance.add_run_tags(run.run_id, tags)


def asset_run_tags(
    pipelines: Sequence[str], media: str, earlier: Sequence[Mapping[str, str]]
) -> dict[str, str]:
    """What is known of the media is taken from the tags of earlier runs on it, newest first."""
    known = next((tags for tags in earlier if FILENAME_TAG in tags), {})
    return {
        KIND_TAG: KIND,
        MEDIA_TAG: media,
        **pipeline_tags(pipelines),
        **{tag: known[tag] for tag in (FILENAME_TAG, MEDIA_FACTS_TAG) if tag in known},
    }
