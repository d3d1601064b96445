"""Runs one pipeline on one media and publishes what it wrote, whole or not at all."""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from contracts.home import Home
from pipelines.findings import Findings
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

    Raises whatever the pipeline raises, and `check` at the end; nothing is published then, and
    nothing is left behind.
    """
    started = time.perf_counter()
    partial = home.partial(run_id) / card.name
    published = home.results(run_id) / card.name
    shutil.rmtree(partial, ignore_errors=True)  # of a worker that was lost with its supervisor
    try:
        partial.mkdir(parents=True)
        report(0.0)
        findings = card.load_annotate()(media, config, partial, Progress(report))
        manifest = build_manifest(
            card=card,
            media=media,
            config=config.model_dump(mode="json"),
            findings=findings,
            folder=partial,
            created_at=datetime.now(UTC),
        )
        write_manifest(partial, manifest)
        check()
        _publish(partial, published)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    report(1.0)
    return Publication(findings, published, time.perf_counter() - started)


def _publish(partial: Path, published: Path) -> None:
    published.parent.mkdir(parents=True, exist_ok=True)
    if published.exists():  # a run that was queued again after its worker was lost
        shutil.rmtree(published)
    partial.rename(published)
