"""What an op shows in the Dagster UI: a picture, counts, a table, timings, the device, the files.

Numbers have the same names for every pipeline, so that the plots of an asset's page compare runs.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dagster import FloatMetadataValue, MetadataValue

from orchestration.annotation.publication import Publication
from orchestration.annotation.tables import table_metadata
from pipelines.findings import ResultFile
from pipelines.media import Media
from pipelines.streams import StreamFacts

_MEGABYTE = 1_000_000


def media_metadata(media: Media) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "media": media.name,
        "container": media.container,
        "media_megabytes": _megabytes(media.size_bytes),
        "media_seconds": MetadataValue.float(round(media.duration_seconds, 3)),
    }
    if video := media.video:
        metadata["video"] = (
            f"{video.width}x{video.height}, {video.frame_rate or 0:.3f} frames/s, "
            f"rotation {video.rotation}°{', mirrored' if video.mirrored else ''}"
        )
    if audio := media.audio:
        metadata["audio"] = f"{audio.sample_rate} Hz, {audio.channels} channels"
    metadata["streams"] = MetadataValue.md(_list([_stream(stream) for stream in media.streams]))
    return metadata


def findings_metadata(
    media: Media, publication: Publication, preview: str | None
) -> dict[str, Any]:
    """What there is to look at, then what there is to compare. `preview` is Markdown."""
    findings = publication.findings
    metadata: dict[str, Any] = {"media": media.name}
    if preview:
        metadata["preview"] = MetadataValue.md(preview)
    metadata[findings.noun.replace(" ", "_")] = MetadataValue.int(findings.count)
    if findings.table:
        metadata["table"] = table_metadata(findings.table, findings.columns)
    if findings.notes:
        metadata["notes"] = MetadataValue.md(_list(findings.notes))
    if coverage := findings.coverage:
        metadata["complete"] = MetadataValue.bool(coverage.complete)
        metadata["covered_seconds"] = MetadataValue.float(round(coverage.seconds, 3))
    return {
        **metadata,
        **findings.facts,
        **_speed(media, publication),
        "device": findings.device,
        "files": MetadataValue.md(_list([_described(file) for file in findings.files])),
        "folder": MetadataValue.path(publication.folder),
    }


def _speed(media: Media, publication: Publication) -> dict[str, Any]:
    """Seconds of wall clock, and how many seconds and frames of media each of them took in."""
    timings = publication.findings.timings
    seconds = max(publication.seconds, 1e-3)
    numbers = {
        "total_seconds": seconds,
        "decode_seconds": timings.decode_seconds,
        "inference_seconds": timings.inference_seconds,
        "write_seconds": timings.write_seconds,
        "media_seconds": media.duration_seconds,
        "times_real_time": media.duration_seconds / seconds,
    }
    frames = publication.findings.facts.get("frames")
    if isinstance(frames, int):
        numbers["frames_per_second"] = frames / seconds
    return {
        **{name: MetadataValue.float(round(number, 3)) for name, number in numbers.items()},
        "media_megabytes": _megabytes(media.size_bytes),
        "results_megabytes": _megabytes(_size(publication.folder)),
    }


def _stream(stream: StreamFacts) -> str:
    return f"{stream.kind}: {stream}" + ("" if stream.read else " (left out)")


def _described(file: ResultFile) -> str:
    return f"`{file.name}` ({file.role})"


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _megabytes(size_bytes: int) -> FloatMetadataValue:
    return MetadataValue.float(round(size_bytes / _MEGABYTE, 3))


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())
