"""Puts a link to a run's results beside its video."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunRecord, RunsFilter

from contracts.home import Home
from contracts.run import INBOX_FILE_TAG
from orchestration.inbox.entry import RESULTS_SUFFIX, readable, shortened
from orchestration.inbox.file_tag import file_tag, tagged_file
from orchestration.inbox.folder import InboxFolder

_MOST_BYTES = 255  # of a file's name
_ENDED = [DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED]
_PAGE = 200
#: A run's end may become visible later than ends with a later time do.
_OVERLAP_SECONDS = 60.0


def link_ended_runs(
    instance: DagsterInstance, folders: Iterable[InboxFolder], home: Home, since: float
) -> tuple[float, list[str]]:
    """Links what the runs of these folders left that ended since. From when on to look the next
    time, both in seconds since the epoch, and which links could not be made: nothing waits for
    those.
    """
    paths = {folder.path for folder in folders}
    asked_at = datetime.now(UTC).timestamp()
    records = instance.get_run_records(
        RunsFilter(statuses=_ENDED, updated_after=datetime.fromtimestamp(since, UTC)),
        limit=_PAGE,
        order_by="update_timestamp",
        ascending=True,
    )
    problems = list(_link_records(records, paths, home))
    if len(records) == _PAGE:
        return records[-1].update_timestamp.timestamp(), problems
    return max(since, asked_at - _OVERLAP_SECONDS), problems


def _link_records(records: Iterable[RunRecord], paths: set[Path], home: Home) -> Iterator[str]:
    for record in records:
        file = tagged_file(record.dagster_run.tags)
        if file is None or file.parent not in paths:
            continue
        try:
            link_results(record.dagster_run, file, home)
        except OSError as error:
            yield f"The results of {readable(str(file))} cannot be linked: {error.strerror}."


def link_results(run: DagsterRun, video: Path, home: Home) -> Path | None:
    """The link, made or made anew; None where there is nothing to link: a run under way, no
    results, no video any more, or something else of that name. Raises OSError.
    """
    link, results = _link(video), home.results(run.run_id)
    if not (run.is_finished and results.is_dir() and video.is_file() and _is_ours(link, home)):
        return None
    fresh = link.with_name(f".{run.run_id}{RESULTS_SUFFIX}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(results)
    return fresh.replace(link)


def follow_file(instance: DagsterInstance, run: DagsterRun, file: Path, home: Home) -> None:
    """The file of a run was seen under another name: it was renamed, or this is a copy. The run of
    a renamed file has its new name from now on, and its link goes. Raises OSError.
    """
    known = tagged_file(run.tags)
    if known is None or known == file or known.is_file():
        return
    instance.add_run_tags(run.run_id, {INBOX_FILE_TAG: file_tag(file)})
    old = _link(known)
    if old.is_symlink() and old.readlink() == home.results(run.run_id):
        old.unlink()


def _link(video: Path) -> Path:
    name = shortened(video.name, _MOST_BYTES - len(RESULTS_SUFFIX))
    return video.with_name(f"{name}{RESULTS_SUFFIX}")


def _is_ours(link: Path, home: Home) -> bool:
    """Whether the name is free, or has a link to some run's results that may be replaced."""
    if link.is_symlink():
        return link.readlink().is_relative_to(home.jobs)
    return not link.exists()
