"""Puts a link to a run's results beside its video."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from contracts.home import Home
from contracts.run import INBOX_FILE_TAG
from orchestration.inbox.entry import RESULTS_SUFFIX, shortened
from orchestration.inbox.folder import InboxFolder

_MOST_BYTES = 255  # of a file's name
_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_PAGE = 200
#: A run's end may become visible later than ends with a later time do.
_OVERLAP_SECONDS = 60.0


def link_ended_runs(
    instance: DagsterInstance, folders: Iterable[InboxFolder], home: Home, since: float
) -> float:
    """Links what the runs of these folders left that ended since; from when on to look the next
    time. Both in seconds since the epoch. Raises OSError.
    """
    paths = {folder.path for folder in folders}
    asked_at = datetime.now(UTC).timestamp()
    records = instance.get_run_records(
        RunsFilter(statuses=_ENDED, updated_after=datetime.fromtimestamp(since, UTC)),
        limit=_PAGE,
        order_by="update_timestamp",
        ascending=True,
    )
    for record in records:
        if Path(record.dagster_run.tags.get(INBOX_FILE_TAG, "")).parent in paths:
            link_results(record.dagster_run, home)
    if len(records) == _PAGE:
        return records[-1].update_timestamp.timestamp()
    return max(since, asked_at - _OVERLAP_SECONDS)


def link_results(run: DagsterRun, home: Home) -> Path | None:
    """The link, made or made anew; None where there is nothing to link: a run under way, no
    results, no video any more, or something else of that name. Raises OSError.
    """
    video, results = Path(run.tags[INBOX_FILE_TAG]), home.results(run.run_id)
    link = _link(video)
    if not (run.is_finished and results.is_dir() and video.is_file() and _is_ours(link, home)):
        return None
    fresh = link.with_name(f".{run.run_id}{RESULTS_SUFFIX}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(results)
    return fresh.replace(link)


def follow_file(instance: DagsterInstance, run: DagsterRun, file: str, home: Home) -> None:
    """The file of a run was seen under another name: it was renamed, or this is a copy. A renamed
    file takes its link along; a copy of a run that ended gets one of its own. Raises OSError.
    """
    known = run.tags.get(INBOX_FILE_TAG, "")
    if known == file:
        return
    if not Path(known).is_file():
        instance.add_run_tags(run.run_id, {INBOX_FILE_TAG: file})
        old = _link(Path(known))
        if old.is_symlink() and old.readlink() == home.results(run.run_id):
            old.unlink()
    link_results(run.with_tags({**run.tags, INBOX_FILE_TAG: file}), home)


def _link(video: Path) -> Path:
    name = shortened(video.name, _MOST_BYTES - len(RESULTS_SUFFIX))
    return video.with_name(f"{name}{RESULTS_SUFFIX}")


def _is_ours(link: Path, home: Home) -> bool:
    """Whether the name is free, or has a link to some run's results that may be replaced."""
    if link.is_symlink():
        return link.readlink().is_relative_to(home.jobs)
    return not link.exists()
