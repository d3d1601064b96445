"""Runs started from Dagster's catalog: "Materialize" on a pipeline's annotations of some media.

They execute the pipelines' ops alone, each with its default config. They are jobs like all others,
so they are given the tags of one when they enter the queue. The catalog knows media by its SHA-256
alone: where a file lies that is not in the media store, the runs know that were given its path.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, DagsterRun, RunsFilter

from contracts.cached_file import read_cached_file, record_of
from contracts.home import Home
from contracts.run import (
    FILENAME_TAG,
    KIND,
    KIND_TAG,
    MEDIA_FACTS_TAG,
    MEDIA_PATH_TAG,
    MEDIA_TAG,
    PROBE_OP,
    pipeline_tags,
)
from orchestration.annotation.asset_keys import pipelines_of_assets
from orchestration.dagster_internals.tags import PARTITION_NAME_TAG

_EARLIER_RUNS = 10


def complete_asset_run(run: DagsterRun, instance: DagsterInstance, home: Home) -> None:
    """Puts the tags of a job on the run if it was started from the catalog."""
    media = run.tags.get(PARTITION_NAME_TAG)
    if not run.asset_selection or media is None:
        return
    earlier = instance.get_runs(RunsFilter(tags={MEDIA_TAG: media}), limit=_EARLIER_RUNS)
    pipelines = pipelines_of_assets(run.asset_selection)
    tags = asset_run_tags(pipelines, media, [other.tags for other in earlier])
    if not home.media(media).is_file() and (path := _path_of(media, earlier, home)):
        tags[MEDIA_PATH_TAG] = path
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


def _path_of(media: str, earlier: Sequence[DagsterRun], home: Home) -> str | None:
    """Where a run saw the media, newest first: rather where it is known to be unchanged, else where
    there still is a file. The run itself checks the content, and says what is wrong with a path.
    """
    paths = [path for path in map(_named_path, earlier) if path]
    known = (path for path in paths if _known_hash(Path(path), home) == media)
    there = (path for path in paths if Path(path).is_file())
    return next(chain(known, there, paths), None)


def _named_path(run: DagsterRun) -> str | None:
    """None for a run that names its media by its SHA-256."""
    ops: Any = run.run_config.get("ops") or {}
    config = (ops.get(PROBE_OP) or {}).get("config") or {}
    named = str(config.get("media") or run.tags.get(MEDIA_PATH_TAG, ""))
    return named if named.startswith("/") else None


def _known_hash(path: Path, home: Home) -> str | None:
    """Of the file as it is now, if it was read before in this state."""
    try:
        known = read_cached_file(record_of(home, path))
    except OSError:
        return None
    return known.sha256 if known else None
