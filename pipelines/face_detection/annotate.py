"""Face detection from a media to its result files."""

from pathlib import Path

from pipelines.decoding import Damage
from pipelines.device import BatchSize, pick_device, use_all_cores
from pipelines.face_detection import summary
from pipelines.face_detection.card import CARD
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.face_detection.detect import detect
from pipelines.face_detection.gallery import Gallery
from pipelines.face_detection.preview import MOST_SHOTS, draw_preview, tile_size
from pipelines.face_detection.report import write_report
from pipelines.face_detection.sighting import Sighting
from pipelines.face_detection.video import write_video
from pipelines.findings import Findings, ResultFile, Role
from pipelines.media import Media
from pipelines.progress import Progress
from pipelines.stopwatch import Stopwatch

#: How much of the work is done when all faces are found, if a video is to be drawn after it.
_SHARE_BEFORE_VIDEO = 0.6


def annotate(
    media: Media, config: FaceDetectionConfig, folder: Path, progress: Progress
) -> Findings:
    """Writes COCO JSON, a preview and, where asked for, an annotated video into `folder`.

    Media without video gets an empty COCO file and a note. Raises PipelineError.
    """
    use_all_cores()
    device = pick_device(config.device)
    batch = BatchSize(config.batch_size if device.kind == "cuda" else 1)
    stopwatch, damage = Stopwatch(), Damage()
    size = tile_size(media.video) if media.video else (1, 1)
    gallery, sightings = Gallery(size, media.duration_seconds), list[Sighting]()
    share = _SHARE_BEFORE_VIDEO if config.annotated_video else 1.0
    for frame, sighting in detect(
        media, config, device=device, batch=batch, stopwatch=stopwatch, damage=damage
    ):
        sightings.append(sighting)
        gallery.offer(frame.image, sighting)
        progress.report(share * sighting.time / max(media.duration_seconds, sighting.time, 1e-9))
    with stopwatch.writing():
        files = _write(
            media, config, folder, gallery=gallery, sightings=sightings, progress=progress
        )
    return Findings(
        count=summary.faces_seen(sightings),
        noun="faces",
        files=files,
        device=device.label,
        timings=stopwatch.timings,
        table=summary.as_table(sightings) if config.tracking else (),
        notes=_notes(media, batch, damage),
        facts=_facts(config, sightings, batch),
    )


def _write(
    media: Media,
    config: FaceDetectionConfig,
    folder: Path,
    *,
    gallery: Gallery,
    sightings: list[Sighting],
    progress: Progress,
) -> list[ResultFile]:
    name, tracked = f"{media.stem}_face_analysis", config.tracking
    write_report(folder / f"{name}.json", media, sightings, tracked=tracked, version=CARD.version)
    files = [ResultFile(f"{name}.json", Role.ANNOTATIONS, "application/json")]
    if media.video is None or not sightings:
        return files
    draw_preview(
        folder / f"{name}.png",
        media.video,
        gallery.choose(MOST_SHOTS),
        title=media.name,
        summary=summary.in_words(sightings, tracked=tracked),
        tracked=tracked,
    )
    files.append(ResultFile(f"{name}.png", Role.PREVIEW, "image/png"))
    if config.annotated_video:
        left = 1 - _SHARE_BEFORE_VIDEO
        duration = max(media.duration_seconds, 1e-9)
        write_video(
            folder / f"{name}.mp4",
            media,
            media.video,
            sightings,
            tracked=tracked,
            report=lambda time: progress.report(_SHARE_BEFORE_VIDEO + left * time / duration),
        )
        files.append(ResultFile(f"{name}.mp4", Role.VIDEO, "video/mp4"))
    return files


def _notes(media: Media, batch: BatchSize, damage: Damage) -> list[str]:
    notes = list(damage.notes)
    if media.video is None:
        notes.append("The file has no video.")
    if batch.failed:
        notes.append(
            f"The GPU's memory did not suffice for {batch.failed[0]} frames at a time: "
            f"went on with {batch.size}."
        )
    return notes


def _facts(
    config: FaceDetectionConfig, sightings: list[Sighting], batch: BatchSize
) -> dict[str, int]:
    facts = {"frames": len(sightings), "batch_size": batch.size}
    if config.tracking:
        facts["tracks"] = summary.tracks_seen(sightings)
    return facts
