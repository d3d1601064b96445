"""The archive of a job's results, as a client that was there before reads it."""

import io
import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

VIDEOS = (".mp4", ".mov", ".avi", ".mkv", ".webm")
NEVER_IN_A_MANIFEST = {"results", "annotations", "scenes", "attributes", "emotions", "face_id"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(client: httpx.Client, job: Mapping[str, Any]) -> Iterator[zipfile.ZipFile]:
    answer = client.get(f"/api/v1/jobs/{job['id']}/artifacts", timeout=None)
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        yield archive


def read(archive: zipfile.ZipFile, ending: str) -> str:
    [name] = [name for name in archive.namelist() if name.endswith(ending)]
    return archive.read(name).decode()


def test_the_archive_holds_exactly_one_video_and_the_results(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    assert len([name for name in names if name.lower().endswith(VIDEOS)]) == 1
    assert len(names) == len(set(names))
    assert all(not name.startswith("/") and ".." not in name for name in names)


def test_faces_are_coco_with_annotations_before_images(archive: zipfile.ZipFile) -> None:
    text = read(archive, "_face_analysis.json")
    faces = json.loads(text)
    assert text.index('"annotations"') < text.index('"images"')
    assert faces["annotations"]
    images = {image["id"] for image in faces["images"]}
    for face in faces["annotations"]:
        _x, _y, width, height = face["bbox"]
        assert width > 0
        assert height > 0
        assert isinstance(face["face_id"], int)
        assert isinstance(face["image_id"], str)
        assert face["image_id"] in images
        assert 0 <= face["score"] <= 1
        assert face["timestamp"] >= 0
        assert isinstance(face["frame_number"], int)


def test_scenes_follow_each_other_without_nulls(archive: zipfile.ZipFile) -> None:
    text = read(archive, "_scene_detection.json")
    found = json.loads(text)
    assert found.keys() == {"scenes"}
    assert "null" not in text
    assert len(found["scenes"]) >= 5
    for scene in found["scenes"]:
        assert (scene["start_time"], scene["end_time"]) == (scene["start"], scene["end"])
        assert {"id", "start", "end", "frame_start", "frame_end", "score"} <= scene.keys()
        assert scene["duration"] > 0
    starts = [scene["start"] for scene in found["scenes"]]
    assert starts == sorted(starts)


def test_speech_is_rttm_of_at_least_nine_fields(archive: zipfile.ZipFile) -> None:
    lines = read(archive, "_speech_activity.rttm").splitlines()
    assert lines
    files = set()
    for line in lines:
        fields = line.split(" ")
        assert len(fields) >= 9
        assert fields[0] == "SPEAKER"
        assert float(fields[4]) > 0
        files.add(fields[1])
    assert len(files) == 1


def test_text_is_webvtt(archive: zipfile.ZipFile) -> None:
    tracks = [name for name in archive.namelist() if name.endswith(".vtt")]
    assert tracks
    for name in tracks:
        lines = archive.read(name).decode().splitlines()
        assert lines[0] == "WEBVTT"
        cues = [line for line in lines if "-->" in line]
        assert cues
        for cue in cues:
            assert re.fullmatch(r"\d{2,}:\d{2}:\d{2}\.\d{3} --> \d{2,}:\d{2}:\d{2}\.\d{3}.*", cue)


def test_no_manifest_can_be_taken_for_annotations(archive: zipfile.ZipFile) -> None:
    manifests = [name for name in archive.namelist() if Path(name).name == "manifest.json"]
    assert manifests
    for name in manifests:
        assert not NEVER_IN_A_MANIFEST & json.loads(archive.read(name)).keys()


def test_each_json_file_is_told_apart_by_its_name_and_then_by_its_content(
    archive: zipfile.ZipFile,
) -> None:
    kinds = {}
    for name in archive.namelist():
        if name.endswith(".json"):
            content = json.loads(archive.read(name))
            kinds[Path(name).name.rpartition("_")[2]] = (
                "scenes" in content,
                "annotations" in content,
            )
    assert kinds["analysis.json"] == (False, True)
    assert kinds["detection.json"] == (True, False)
    assert kinds["manifest.json"] == (False, False)
