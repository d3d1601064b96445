"""Before a run that retries another one starts: what the other one completed becomes its own.

A retry executes only what failed or did not come to its turn. The published results of the other
pipelines are linked into its own folder, so that the job's results are whole, also when the
earlier job is deleted afterwards.
"""

import json
import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, DagsterRun

from contracts.home import Home
from contracts.retry import FROM_FAILURE_TAG, carried_over_tag, inherited_tags
from contracts.run import (
    FILENAME_TAG,
    MEDIA_FACTS_TAG,
    MEDIA_TAG,
    PIPELINES_TAG,
    PROBE_OP,
    pipeline_tags,
    pipelines_of,
)
from orchestration.annotation.unchanged_media import check_unchanged
from pipelines.errors import ResultsGoneError

_SUBMIT_AGAIN = "Submit the video again: a retry builds on what the earlier job had completed."


def carry_over(run: DagsterRun, instance: DagsterInstance, home: Home) -> DagsterRun:
    """The run with the tags and results that it takes over; every other run as it is.

    Doing it again changes nothing. Raises ResultsGoneError, MediaChangedError.
    """
    if run.parent_run_id is None:
        return run
    tags = _known_tags(run, instance)
    named = pipelines_of(tags, run.job_name)
    sources = {
        name: find_source(name, run, instance, home)
        for name in named
        if run.step_keys_to_execute is not None and name not in run.step_keys_to_execute
    }
    found = {name: source for name, source in sources.items() if source}
    lost = [name for name in sources if name not in found]
    if lost and run.tags.get(FROM_FAILURE_TAG) == "true":
        raise ResultsGoneError(
            f"The results of {', '.join(lost)} that job {run.parent_run_id} had are gone.",
            _SUBMIT_AGAIN,
        )
    if found:
        check_unchanged(home, str(_config(run, PROBE_OP)[0]), tags.get(MEDIA_TAG))
    for name, source in found.items():
        _carry(home.results(source.run_id) / name, run, home)
        tags[carried_over_tag(name)] = source.tags.get(carried_over_tag(name), source.run_id)
    # Without what is lost: somebody chose steps by hand, and others had failed before.
    tags |= pipeline_tags([name for name in named if name not in lost])
    return _with_tags(run, tags, instance, list(found))


def find_source(
    pipeline: str, run: DagsterRun, instance: DagsterInstance, home: Home
) -> DagsterRun | None:
    """The nearest earlier run whose results of the pipeline are what this run would make.

    A run that was to carry them over itself and never started leads on to the one before it.
    """
    ancestor = _parent(run, instance)
    while ancestor and _config(ancestor, pipeline) == _config(run, pipeline):
        if is_whole(home.results(ancestor.run_id) / pipeline):
            return ancestor
        steps = ancestor.step_keys_to_execute
        if steps is None or pipeline in steps:
            return None
        ancestor = _parent(ancestor, instance)
    return None


def is_whole(folder: Path) -> bool:
    """Whether all files that the folder's manifest names are there."""
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        return all((folder / file["name"]).is_file() for file in manifest["files"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _known_tags(run: DagsterRun, instance: DagsterInstance) -> dict[str, str]:
    """The run's tags; about the media, which only the first op can tell, also the parent's."""
    parent = _parent(run, instance)
    inherited = inherited_tags(parent.tags) if parent else {}
    missing = (MEDIA_TAG, MEDIA_FACTS_TAG, FILENAME_TAG, PIPELINES_TAG)
    return {key: inherited[key] for key in missing if key in inherited} | dict(run.tags)


def _parent(run: DagsterRun, instance: DagsterInstance) -> DagsterRun | None:
    return instance.get_run_by_id(run.parent_run_id) if run.parent_run_id else None


def _config(run: DagsterRun, pipeline: str) -> tuple[Any, Any]:
    """What decides about a pipeline's results: the media and its own config."""
    ops: Mapping[str, Any] = run.run_config.get("ops", {})  # type: ignore[assignment]
    configs = [(ops.get(name) or {}).get("config") or {} for name in (PROBE_OP, pipeline)]
    return configs[0].get("media"), configs[1]


def _carry(source: Path, run: DagsterRun, home: Home) -> None:
    """By rename, as results are published; a folder that is there already is whole."""
    partial = home.partial(run.run_id) / source.name
    published = home.results(run.run_id) / source.name
    if published.exists():
        return
    shutil.rmtree(partial, ignore_errors=True)
    with suppress(FileNotFoundError):
        _link_folder(source, partial)
    if not is_whole(partial):
        raise ResultsGoneError(
            f"The results of {source.name} that the earlier job had were just deleted.",
            _SUBMIT_AGAIN,
        )
    published.parent.mkdir(parents=True, exist_ok=True)
    partial.rename(published)


def _link_folder(source: Path, target: Path) -> None:
    target.mkdir(parents=True)
    for path in source.iterdir():
        if path.is_dir():
            _link_folder(path, target / path.name)
            continue
        try:
            (target / path.name).hardlink_to(path)
        except OSError:  # a file system without links, or with no more of them for this file
            shutil.copy2(path, target / path.name)


def _with_tags(
    run: DagsterRun, tags: Mapping[str, str], instance: DagsterInstance, carried: list[str]
) -> DagsterRun:
    new = {key: value for key, value in tags.items() if run.tags.get(key) != value}
    if new:
        instance.add_run_tags(run.run_id, new)
    if carried:
        instance.report_engine_event(f"Carried over from earlier runs: {', '.join(carried)}.", run)
    return run.with_tags({**run.tags, **tags})
