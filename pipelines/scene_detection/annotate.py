"""Scene detection from a media to its result files."""

from array import array
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from pipelines.damage import Damage
from pipelines.device import BatchSize, Device, in_batches, pick_device, use_all_cores
from pipelines.findings import Findings, ResultFile, Role
from pipelines.frames import Frame, frames
from pipelines.media import Media
from pipelines.outputs.picture import timestamp
from pipelines.outputs.scenes import Scene, write_scenes
from pipelines.outputs.webvtt import Cue, write_webvtt
from pipelines.prefetch import prefetched
from pipelines.progress import Progress
from pipelines.scene_detection.config import SceneDetectionConfig
from pipelines.scene_detection.cuts import find_cuts, to_scenes
from pipelines.scene_detection.footage import Footage
from pipelines.scene_detection.network import SIZE, on_device, score
from pipelines.scene_detection.sheet import draw_sheet
from pipelines.scene_detection.table import write_scene_table, write_scene_tiers
from pipelines.scene_detection.windows import windows
from pipelines.stopwatch import Stopwatch
from pipelines.streams import notes_on_others

#: How many frames decoding may be ahead of inference; at 4 KB each.
_FRAMES_AHEAD = 512
_MOST_ROWS = 48
_COLUMNS = {
    "scene": "Number of the scene, as in the contact sheet",
    "start": "On the video's clock, minutes:seconds",
    "end": "On the video's clock, minutes:seconds",
    "score": "How sure the network is of the cut that opens the scene, from 0 to 1",
}


def annotate(
    media: Media, config: SceneDetectionConfig, folder: Path, progress: Progress
) -> Findings:
    """Writes scene JSON, CSV, tiers, chapters and a contact sheet into `folder`.

    Media without video has no scenes, and a note says so. Raises PipelineError.
    """
    use_all_cores()
    device = pick_device(config.device)
    batch = BatchSize(config.batch_size if device.kind == "cuda" else 1)
    stopwatch, damage = Stopwatch(), Damage()

    def decode(stopped: Callable[[], bool]) -> Iterator[Frame]:
        return frames(media, size=SIZE, damage=damage, stopped=stopped)

    with prefetched(decode, _FRAMES_AHEAD) as ready:
        footage = Footage(
            stopwatch.decoding(ready),
            media,
            damage,
            reached=lambda time: progress.report(time / max(media.duration_seconds, time, 1e-9)),
        )
        scores = _score_images(footage, device, batch, stopwatch)
    cuts = footage.between_frames(find_cuts(scores, config.threshold))
    scenes = to_scenes(cuts, footage.times, footage.end, config.minimum_scene_seconds)
    with stopwatch.writing():
        files = _write(media, folder, scenes)
    return Findings(
        count=len(scenes),
        noun="scenes",
        files=files,
        device=device.label,
        timings=stopwatch.timings,
        table=_table(scenes),
        columns=_COLUMNS,
        notes=[
            *damage.notes,
            *([] if media.video else ["The file has no video."]),
            *notes_on_others(media.streams, "video"),
            *batch.notes("windows"),
        ],
        coverage=damage.coverage,
        facts={
            "frames": len(footage.times),
            "cuts": max(0, len(scenes) - 1),
            "batch_size": batch.size,
        },
    )


def _score_images(
    footage: Footage, device: Device, batch: BatchSize, stopwatch: Stopwatch
) -> "array[float]":
    """For each image of the footage how likely a cut follows it."""
    network = on_device(device)

    def run(
        part: Sequence[npt.NDArray[np.uint8]],
    ) -> list[npt.NDArray[np.float32]]:
        with stopwatch.inference():
            return score(network, device, part)

    scores = array("d")
    for piece in in_batches(run, windows(footage.images()), batch):
        scores.extend(piece.tolist())
    return scores[: len(footage.places)]


def _write(media: Media, folder: Path, scenes: Sequence[Scene]) -> list[ResultFile]:
    name = f"{media.stem}_scene_detection"
    # Existing clients take every `.vtt` for speech, and these would replace the words.
    chapters, table = f"{media.stem}_chapters.webvtt", f"{media.stem}_scenes.csv"
    tiers = f"{media.stem}_scenes_tiers.json"
    write_scenes(folder / f"{name}.json", scenes)
    write_webvtt(
        folder / chapters,
        (Cue(scene.start, scene.end, f"Scene {number}") for number, scene in enumerate(scenes, 1)),
    )
    write_scene_table(folder / table, scenes)
    write_scene_tiers(folder / tiers, scenes)
    files = [
        ResultFile(f"{name}.json", Role.ANNOTATIONS, "application/json"),
        ResultFile(chapters, Role.ANNOTATIONS, "text/vtt"),
        ResultFile(table, Role.ANNOTATIONS, "text/csv"),
        ResultFile(tiers, Role.TIERS, "application/json"),
    ]
    if scenes:
        draw_sheet(folder / f"{name}.png", media, scenes)
        files.append(ResultFile(f"{name}.png", Role.PREVIEW, "image/png"))
    return files


def _table(scenes: Sequence[Scene]) -> list[dict[str, str | int | float]]:
    return [
        {
            "scene": number,
            "start": timestamp(scene.start),
            "end": timestamp(scene.end),
            "score": round(scene.score, 3),
        }
        for number, scene in enumerate(scenes[:_MOST_ROWS], start=1)
    ]
