"""Runs pipelines on a file and reads what they wrote."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.face_detection.annotate import annotate as detect_faces
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.findings import Findings
from pipelines.media import probe
from pipelines.progress import Progress
from pipelines.scene_detection.annotate import annotate as detect_scenes
from pipelines.scene_detection.config import SceneDetectionConfig


def scenes_in(path: Path, folder: Path) -> tuple[list[tuple[float, float]], Findings]:
    """Start and end of each scene in seconds, and the findings."""
    folder.mkdir()
    findings = detect_scenes(probe(path), SceneDetectionConfig(), folder, Progress())
    (written,) = folder.glob("*_scene_detection.json")
    scenes = json.loads(written.read_text())["scenes"]
    return [(scene["start"], scene["end"]) for scene in scenes], findings


def faces_in(
    path: Path, folder: Path, sample_rate: float = 5
) -> tuple[list[Mapping[str, Any]], Sequence[Mapping[str, Any]], Findings]:
    """The COCO file's annotations and images, and the findings."""
    folder.mkdir()
    config = FaceDetectionConfig(sample_rate=sample_rate)
    findings = detect_faces(probe(path), config, folder, Progress())
    (written,) = folder.glob("*_face_analysis.json")
    coco = json.loads(written.read_text())
    return coco["annotations"], coco["images"], findings
