"""Face detection from a media to its result files."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipelines.damage import Damage
from pipelines.device import BatchSize, Device, pick_device, use_all_cores
from pipelines.face_detection import summary
from pipelines.face_detection.card import CARD
from pipelines.face_detection.coco_report import write_report
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.face_detection.dataset import write_dataset
from pipelines.face_detection.detect import detect, network_size
from pipelines.face_detection.gallery import Gallery, Shot
from pipelines.face_detection.preview import MOST_SHOTS, draw_preview, tile_size
from pipelines.face_detection.sighting import Sighting
from pipelines.face_detection.table import write_face_table, write_face_tiers
from pipelines.face_detection.video import write_video
from pipelines.findings import Findings, ResultFile, Role
from pipelines.frames import Frame, frames
from pipelines.media import Media
from pipelines.prefetch import prefetched
from pipelines.progress import Progress
from pipelines.stopwatch import Stopwatch
from pipelines.streams import notes_on_others

_BATCHES_AHEAD = 2
_MOST_SIZES = 5


@dataclass(frozen=True)
class _Seen:
    """Every look at the video, and those to show."""

    sightings: Sequence[Sighting] = ()
    shots: Sequence[Shot] = ()


def annotate(
    media: Media, config: FaceDetectionConfig, folder: Path, progress: Progress
) -> Findings:
    """Writes JSON, CSV, tiers, a preview and, where asked for, an annotated video into `folder`.

    Media without video gets empty files and a note. Raises PipelineError.
    """
    use_all_cores()
    device = pick_device(config.device)
    batch = BatchSize(config.batch_size if device.kind == "cuda" else 1)
    stopwatch, damage = Stopwatch(), Damage()
    seen = _look(
        media, config, progress, device=device, batch=batch, stopwatch=stopwatch, damage=damage
    )
    with stopwatch.writing():
        files = _write(media, config, folder, seen, progress)
    return Findings(
        count=summary.faces_seen(seen.sightings),
        noun="faces",
        files=files,
        device=device.label,
        timings=stopwatch.timings,
        table=summary.as_table(seen.sightings) if config.tracking else (),
        columns=summary.COLUMNS,
        notes=[
            *damage.notes,
            *([] if media.video else ["The file has no video."]),
            *notes_on_others(media.streams, "video"),
            *_notes_on_sizes(seen.sightings),
            *batch.notes("frames"),
        ],
        coverage=damage.coverage,
        facts=_facts(config, seen.sightings, batch),
    )


def _look(
    media: Media,
    config: FaceDetectionConfig,
    progress: Progress,
    *,
    device: Device,
    batch: BatchSize,
    stopwatch: Stopwatch,
    damage: Damage,
) -> _Seen:
    video = media.video
    if video is None:
        return _Seen()
    gallery, sightings = Gallery(tile_size(video), media.duration_seconds), list[Sighting]()
    share = _share_of_detection(config)

    def decode(stopped: Callable[[], bool]) -> Iterator[Frame]:
        return frames(
            media,
            size=partial(network_size, maximum_side=config.maximum_side),
            rate=config.sample_rate,
            damage=damage,
            stopped=stopped,
            reached=lambda time: progress.report(share * _fraction(time, media)),
        )

    with prefetched(decode, _BATCHES_AHEAD * batch.size) as ready:
        looks = stopwatch.decoding(ready)
        for frame, sighting in detect(
            looks, config, device=device, batch=batch, stopwatch=stopwatch
        ):
            sightings.append(sighting)
            gallery.offer(frame.image, sighting)
    return _Seen(sightings, gallery.choose(MOST_SHOTS))


def _write(
    media: Media, config: FaceDetectionConfig, folder: Path, seen: _Seen, progress: Progress
) -> list[ResultFile]:
    name, tracked = f"{media.stem}_face_analysis", config.tracking
    write_report(
        folder / f"{name}.json", media, seen.sightings, tracked=tracked, version=CARD.version
    )
    files = [
        ResultFile(f"{name}.json", Role.ANNOTATIONS, "application/json"),
        *_write_for_other_tools(media, config, folder, seen.sightings),
    ]
    if media.video is None or not seen.shots:
        return files
    draw_preview(
        folder / f"{name}.png",
        media.video,
        seen.shots,
        title=media.name,
        summary=summary.in_words(seen.sightings, tracked=tracked),
        tracked=tracked,
    )
    files.append(ResultFile(f"{name}.png", Role.PREVIEW, "image/png"))
    if not config.annotated_video:
        return files
    share = _share_of_detection(config)
    write_video(
        folder / f"{name}.mp4",
        media,
        media.video,
        seen.sightings,
        tracked=tracked,
        report=lambda time: progress.report(share + (1 - share) * _fraction(time, media)),
    )
    return [*files, ResultFile(f"{name}.mp4", Role.VIDEO, "video/mp4")]


def _write_for_other_tools(
    media: Media, config: FaceDetectionConfig, folder: Path, sightings: Sequence[Sighting]
) -> list[ResultFile]:
    dataset, table = f"instances_{media.stem}_faces.json", f"{media.stem}_faces.csv"
    write_dataset(folder / dataset, media, sightings, tracked=config.tracking, version=CARD.version)
    write_face_table(folder / table, sightings)
    files = [
        ResultFile(dataset, Role.DATASET, "application/json"),
        ResultFile(table, Role.ANNOTATIONS, "text/csv"),
    ]
    if not config.tracking:  # nothing says which faces are the same, so there are no segments
        return files
    tiers = f"{media.stem}_faces_tiers.json"
    write_face_tiers(folder / tiers, sightings, interval=1 / config.sample_rate)
    return [*files, ResultFile(tiers, Role.TIERS, "application/json")]


def _notes_on_sizes(sightings: Sequence[Sighting]) -> list[str]:
    sizes = list(dict.fromkeys(sighting.size for sighting in sightings))
    if len(sizes) <= 1:
        return []
    named = ", ".join(f"{width}x{height}" for width, height in sizes[:_MOST_SIZES])
    more = ", and more" if len(sizes) > _MOST_SIZES else ""
    return [
        f"The picture changes its size ({named}{more}): boxes are in pixels of their own frame."
    ]


def _share_of_detection(config: FaceDetectionConfig) -> float:
    """How much of the work is done when all faces are found."""
    return 0.6 if config.annotated_video else 1.0


def _fraction(time: float, media: Media) -> float:
    return time / max(media.duration_seconds, time, 1e-9)


def _facts(
    config: FaceDetectionConfig, sightings: Sequence[Sighting], batch: BatchSize
) -> dict[str, int]:
    facts = {"frames": len(sightings), "batch_size": batch.size}
    if config.tracking:
        facts["tracks"] = summary.tracks_seen(sightings)
    return facts
