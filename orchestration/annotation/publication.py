"""Runs one pipeline on one media and publishes what it wrote, whole or not at all."""

import shutil
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from contracts.home import Home
from orchestration.annotation.shared_process import process_restored
from pipelines.findings import Findings
from pipelines.findings_check import check_findings
from pipelines.media import Media
from pipelines.outputs.manifest import build_manifest, write_manifest
from pipelines.progress import Progress
from pipelines.registry.spec import PipelineCard


@dataclass(frozen=True)
class Publication:
    """What became visible: `folder` holds the files that `findings` names, and the manifest.

    `seconds` is how long all of it took.
    """

    findings: Findings
    folder: Path
    seconds: float


def annotate_and_publish(
    card: PipelineCard,
    media: Media,
    config: BaseModel,
    *,
    home: Home,
    run_id: str,
    report: Callable[[float], None],
    check: Callable[[], None],
) -> Publication:
    """The pipeline writes into a private folder, which is renamed when all of it is there.

    Raises whatever the pipeline raises, FindingsError, and what `check` raises at the end; nothing
    is published then, and nothing is left behind.
    """
    started = time.perf_counter()
    partial = home.partial(run_id) / card.name
    published = home.results(run_id) / card.name
    _remove(partial)  # of a worker that was lost with its supervisor
    try:
        partial.mkdir(parents=True)
        report(0.0)
        with process_restored():
            returned = card.load_annotate()(media, config, partial, Progress(report))
            dumped = config.model_dump(mode="json")
        findings = check_findings(returned, partial)
        _remove_irregular(partial)
        manifest = build_manifest(
            card=card,
            media=media,
            config=dumped,
            findings=findings,
            folder=partial,
            created_at=datetime.now(UTC),
        )
        write_manifest(partial, manifest)
        check()
        _publish(partial, published)
    finally:
        _remove(partial)
    report(1.0)
    return Publication(findings, published, time.perf_counter() - started)


def _remove_irregular(folder: Path) -> None:
    """Links, pipes and sockets are no results: what they lead to may be anybody's."""
    for path in folder.rglob("*"):
        if not stat.S_ISREG(mode := path.lstat().st_mode) and not stat.S_ISDIR(mode):
            path.unlink()


def _remove(partial: Path) -> None:
    """Whatever the pipeline made of its folder: where that is a link, the link."""
    if partial.is_symlink():
        partial.unlink()
    shutil.rmtree(partial, ignore_errors=True)


def _publish(partial: Path, published: Path) -> None:
    published.parent.mkdir(parents=True, exist_ok=True)
    if published.exists():  # a run that was queued again after its worker was lost
        shutil.rmtree(published)
    partial.rename(published)
