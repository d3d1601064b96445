"""How far two results of the same pipeline on the same video lie apart: pure functions."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_PIXELS = 1.0
_SCORE = 0.01


def differences(pipeline: str, first: Path, second: Path) -> list[str]:
    """In words; empty where they agree: same cuts, boxes within 1 px, scores within 0.01."""
    compare, suffix = {
        "scene_detection": (_scenes, "_scene_detection.json"),
        "face_detection": (_faces, "_face_analysis.json"),
    }[pipeline]
    return compare(_read(first, suffix), _read(second, suffix))


def _read(folder: Path, suffix: str) -> dict[str, Any]:
    [path] = folder.glob(f"*{suffix}")
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def _scenes(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    cuts = [[scene["frame_start"] for scene in each["scenes"]] for each in (first, second)]
    if cuts[0] != cuts[1]:
        return [f"cuts at {_only(*cuts)} in the first alone, at {_only(*reversed(cuts))} not there"]
    pairs = list(zip(first["scenes"], second["scenes"], strict=True))
    return _beyond("score", [abs(a["score"] - b["score"]) for a, b in pairs], _SCORE)


def _faces(first: dict[str, Any], second: dict[str, Any]) -> list[str]:
    faces = [sorted(each["annotations"], key=_place) for each in (first, second)]
    if len(faces[0]) != len(faces[1]):
        return [f"{len(faces[0])} faces, then {len(faces[1])}"]
    pairs = list(zip(*faces, strict=True))
    sides = [
        abs(a - b) for one, other in pairs for a, b in zip(one["bbox"], other["bbox"], strict=True)
    ]
    scores = [abs(one["score"] - other["score"]) for one, other in pairs]
    return _beyond("box in pixels", sides, _PIXELS) + _beyond("score", scores, _SCORE)


def _place(face: dict[str, Any]) -> tuple[int, float, float]:
    return face["image_id"], round(face["bbox"][0] / 8), round(face["bbox"][1] / 8)


def _only(first: Sequence[int], second: Sequence[int]) -> list[int]:
    return sorted(set(first) - set(second))


def _beyond(what: str, distances: Sequence[float], most: float) -> list[str]:
    worst = max(distances, default=0.0)
    if worst <= most:
        return []
    count = sum(distance > most for distance in distances)
    return [f"{what}: {count} of {len(distances)} differ by more than {most}, at most {worst:.4f}"]
