"""The manifest of one pipeline's results: what was made of which media, how, and which files."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from contracts.atomic_file import replacing
from contracts.sha256 import sha256_of
from pipelines.findings import Findings, Role, Timings
from pipelines.media import Media
from pipelines.registry.spec import PipelineCard
from pipelines.streams import StreamFacts

MANIFEST = "manifest.json"


class ManifestMedia(BaseModel):
    name: str
    size_bytes: int
    duration_seconds: float
    streams: list[StreamFacts] = []


class ManifestFile(BaseModel):
    name: str
    role: Role
    media_type: str
    size_bytes: int
    sha256: str


class Manifest(BaseModel):
    """Clients tell annotation files by their top-level keys.

    So none of the keys here may be `results`, `annotations`, `scenes`, `attributes`, `emotions`
    or `face_id`.

    Attributes:
        complete: whether all of the media was read; None where the pipeline does not say.
        covered_seconds: how many seconds of it; None likewise.
    """

    model_config = ConfigDict(frozen=True)

    pipeline: str
    version: str
    media: ManifestMedia
    config: dict[str, Any]
    annotation_count: int
    noun: str
    complete: bool | None = None
    covered_seconds: float | None = None
    files: list[ManifestFile]
    device: str
    timings: Timings
    table: list[dict[str, str | int | float]]
    notes: list[str]
    facts: dict[str, str | int | float]
    created_at: datetime


def build_manifest(
    *,
    card: PipelineCard,
    media: Media,
    config: Mapping[str, Any],
    findings: Findings,
    folder: Path,
    created_at: datetime,
) -> Manifest:
    """Reads and hashes the files that `findings` names in `folder`.

    Raises FileNotFoundError when a pipeline names a file that it did not write.
    """
    files = [
        ManifestFile(
            name=file.name,
            role=file.role,
            media_type=file.media_type,
            size_bytes=(folder / file.name).stat().st_size,
            sha256=sha256_of(folder / file.name),
        )
        for file in findings.files
    ]
    coverage = findings.coverage
    return Manifest(
        pipeline=card.name,
        version=card.version,
        media=ManifestMedia(
            name=media.name,
            size_bytes=media.size_bytes,
            duration_seconds=media.duration_seconds,
            streams=list(media.streams),
        ),
        config=dict(config),
        annotation_count=findings.count,
        noun=findings.noun,
        complete=None if coverage is None else coverage.complete,
        covered_seconds=None if coverage is None else coverage.seconds,
        files=files,
        device=findings.device,
        timings=findings.timings,
        table=[dict(row) for row in findings.table],
        notes=list(findings.notes),
        facts=dict(findings.facts),
        created_at=created_at,
    )


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    path = folder / MANIFEST
    with replacing(path) as temporary:
        temporary.write_text(manifest.model_dump_json(indent=1) + "\n", encoding="utf-8")
    return path


def read_manifest(folder: Path) -> Manifest:
    """Raises FileNotFoundError, or pydantic.ValidationError for what is not a manifest."""
    return Manifest.model_validate_json((folder / MANIFEST).read_bytes())
