"""Takes stock for a sweep: every run with its folder, all stored media, and what nobody owns."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, DagsterRun, RunRecord, RunsFilter

from contracts.cached_file import is_outdated, read_cached_file, record_of
from contracts.home import Home
from contracts.patterns import is_sha256
from contracts.run import (
    KEEP_TAG,
    LIBRARY_OWNER,
    MEDIA_TAG,
    OWNER_TAG,
    PROBE_OP,
    pipelines_of,
)
from contracts.stored_media import last_used
from orchestration.dagster_internals.tags import RUN_KEY_TAG
from orchestration.inbox.file_tag import tagged_file
from orchestration.maintenance.retention_plan import Leftover, Stock, StoredJob, StoredMedia

_PAGE = 500
_BLOCK_BYTES = 512
_MEDIA_FILE = re.compile(r"[0-9a-f]{64}(\.json)?")


def take_stock(home: Home, instance: DagsterInstance) -> Stock:
    """Folders are listed before runs: what has no run then will never have one."""
    folders = list(home.jobs.glob("*"))
    jobs = [_job(record, home) for record in run_records(instance)]
    runs = {job.run_id for job in jobs}
    orphans = [_leftover(folder) for folder in folders if folder.name not in runs]
    return Stock(
        jobs=jobs,
        media=list(_media(home)),
        leftovers=[*orphans, *_leftovers(home)],
        free_bytes=shutil.disk_usage(home.root).free,
    )


def run_records(instance: DagsterInstance) -> Iterator[RunRecord]:
    """All runs, newest first, a bounded number of them in memory."""
    cursor = None
    while records := instance.get_run_records(RunsFilter(), cursor=cursor, limit=_PAGE):
        yield from records
        cursor = records[-1].dagster_run.run_id


def stored_media_of(record: RunRecord) -> str | None:
    """The media in the store that the run refers to; None for a file elsewhere."""
    run = record.dagster_run
    ops: Any = run.run_config.get("ops", {})
    named = ops.get(PROBE_OP, {}).get("config", {}).get("media") or run.tags.get(MEDIA_TAG, "")
    return named if is_sha256(named) else None


def _job(record: RunRecord, home: Home) -> StoredJob:
    run = record.dagster_run
    ended_at = record.end_time or record.update_timestamp.timestamp()
    return StoredJob(
        run_id=run.run_id,
        ended_at=ended_at if run.is_finished else None,
        size_bytes=_size(home.job(run.run_id)),
        media=stored_media_of(record),
        parent=run.parent_run_id,
        keep=KEEP_TAG in run.tags or home.keep(run.run_id).exists(),
        library=_library_annotations(record, home),
        inbox=_inbox_key(record),
    )


def _library_annotations(record: RunRecord, home: Home) -> frozenset[tuple[str, str]]:
    run = record.dagster_run
    if run.tags.get(OWNER_TAG) != LIBRARY_OWNER or not _is_still_there(run, home):
        return frozenset()
    published = home.results(run.run_id)
    return frozenset(
        (run.tags[MEDIA_TAG], pipeline)
        for pipeline in pipelines_of(run.tags, run.job_name)
        if (published / pipeline).is_dir()
    )


def _is_still_there(run: DagsterRun, home: Home) -> bool:
    """Whether the library has the file that the run was about, unchanged."""
    ops: Any = run.run_config["ops"]
    try:
        known = read_cached_file(record_of(home, Path(ops[PROBE_OP]["config"]["media"])))
    except OSError:
        return False
    return known is not None and known.sha256 == run.tags[MEDIA_TAG]


def _inbox_key(record: RunRecord) -> str | None:
    """The run key, while the inbox still has the file that the run was started for."""
    tags = record.dagster_run.tags
    try:
        file = tagged_file(tags)
        return tags.get(RUN_KEY_TAG) if file and file.is_file() else None
    except OSError:
        return None


def _media(home: Home) -> Iterator[StoredMedia]:
    """Without those that have another name as well: removing ours would free nothing, and would
    move the change time by which the inbox tells what is new.
    """
    for path in home.all_media.glob("??/*"):
        if is_sha256(path.name) and not _is_shared(path):
            yield StoredMedia(path.name, last_used(home, path.name), _size(path))


def _is_shared(path: Path) -> bool:
    try:
        return path.stat().st_nlink > 1
    except FileNotFoundError:
        return False


def _leftovers(home: Home) -> Iterator[Leftover]:
    """Cut off uploads, facts of files that changed or are gone, and files that never were whole."""
    yield from (_leftover(path) for path in home.uploads.glob("*"))
    for path in home.all_media.glob("??/*"):
        is_fact_alone = path.suffix == ".json" and not path.with_suffix("").exists()
        if is_fact_alone or not _MEDIA_FILE.fullmatch(path.name):
            yield _leftover(path)
    for path in (home.all_media / "paths").glob("*"):
        if path.suffix != ".json" or is_outdated(home, path):
            yield _leftover(path)


def _leftover(path: Path) -> Leftover:
    try:
        changed_at = path.stat().st_mtime
    except FileNotFoundError:  # gone meanwhile
        changed_at = float("inf")
    return Leftover(str(path), changed_at, _size(path))


def _size(path: Path) -> int:
    """What deleting it would free: a file that is linked elsewhere as well frees nothing."""
    files = [path] if path.is_file() else path.rglob("*")
    return sum(_blocks(file) for file in files)


def _blocks(path: Path) -> int:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return 0
    is_shared = status.st_nlink > 1 and not path.is_dir()
    return 0 if is_shared else status.st_blocks * _BLOCK_BYTES
