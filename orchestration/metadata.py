"""What an op shows in the Dagster UI: counts, tables, a small picture, timings, the device."""

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dagster import MetadataValue
from PIL import Image

from orchestration.publication import Publication
from pipelines.findings import Findings, Role
from pipelines.media import Media

# The picture is stored in the event log: it must stay small. The full one is in the results.
_PICTURE_SIDE = 720
_PICTURE_QUALITY = 70
_TABLE_ROWS = 20


def media_metadata(media: Media) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "media": media.name,
        "container": media.container,
        "size": MetadataValue.int(media.size_bytes),
        "duration_seconds": MetadataValue.float(media.duration_seconds),
    }
    if video := media.video:
        metadata["video"] = (
            f"{video.width}x{video.height}, {video.frame_rate or 0:.3f} frames/s, "
            f"rotation {video.rotation}°"
        )
    if audio := media.audio:
        metadata["audio"] = f"{audio.sample_rate} Hz, {audio.channels} channels"
    return metadata


def findings_metadata(publication: Publication) -> dict[str, Any]:
    findings = publication.findings
    timings = findings.timings
    metadata: dict[str, Any] = {
        findings.noun: MetadataValue.int(findings.count),
        "device": findings.device,
        "decode_seconds": MetadataValue.float(round(timings.decode_seconds, 3)),
        "inference_seconds": MetadataValue.float(round(timings.inference_seconds, 3)),
        "write_seconds": MetadataValue.float(round(timings.write_seconds, 3)),
        "files": MetadataValue.md(_file_list(publication)),
        **dict(findings.facts),
    }
    if findings.table:
        metadata["table"] = MetadataValue.md(markdown_table(findings.table))
    if findings.notes:
        metadata["notes"] = MetadataValue.md("\n".join(f"- {note}" for note in findings.notes))
    if picture := _preview(findings, publication.folder):
        metadata["preview"] = MetadataValue.md(inline_picture(picture))
    return metadata


def markdown_table(rows: Sequence[Mapping[str, str | int | float]]) -> str:
    """A Markdown table of the first rows; a last line says how many were left out."""
    columns = list(rows[0])
    lines = [_row(columns), _row(["---"] * len(columns))]
    lines += [
        _row([_cell(row.get(column, "")) for column in columns]) for row in rows[:_TABLE_ROWS]
    ]
    if left_out := len(rows) - _TABLE_ROWS:
        lines += ["", f"… and {left_out} more"] if left_out > 0 else []
    return "\n".join(lines)


def inline_picture(path: Path) -> str:
    """The picture, made small, as a Markdown image that needs no server."""
    with Image.open(path) as picture:
        small = picture.convert("RGB")
    small.thumbnail((_PICTURE_SIDE, _PICTURE_SIDE))
    buffer = io.BytesIO()
    small.save(buffer, format="JPEG", quality=_PICTURE_QUALITY)
    encoded = base64.b64encode(buffer.getvalue()).decode()
    return f"![{path.stem}](data:image/jpeg;base64,{encoded})"


def _preview(findings: Findings, folder: Path) -> Path | None:
    previews = [file for file in findings.files if file.role is Role.PREVIEW]
    return folder / previews[0].name if previews else None


def _file_list(publication: Publication) -> str:
    folder = publication.folder
    return "\n".join(
        f"- `{folder / file.name}` ({file.role})" for file in publication.findings.files
    )


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(value: str | float) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
