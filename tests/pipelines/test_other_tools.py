"""What other programs open, read by readers of theirs: pycocotools, pandas."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pycocotools.coco import COCO

from pipelines.face_detection.annotate import annotate
from pipelines.face_detection.config import FaceDetectionConfig
from pipelines.media import probe
from pipelines.outputs.tiers import TierSegment, without_overlap
from pipelines.progress import Progress

Annotate = Callable[..., SimpleNamespace]


@pytest.fixture(scope="module")
def found(clips: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The faces of a talking head, looked at once a second: `media`, `folder`, `findings`."""
    folder, media = tmp_path_factory.mktemp("faces"), probe(clips["carphone"])
    findings = annotate(media, FaceDetectionConfig(sample_rate=1), folder, Progress())
    return SimpleNamespace(media=media, folder=folder, findings=findings)


@pytest.fixture(scope="module")
def dataset(found: SimpleNamespace) -> Path:
    [path] = found.folder.glob("instances_*.json")
    return Path(path)


def test_the_dataset_is_read_by_cocos_own_reader(dataset: Path, found: SimpleNamespace) -> None:
    coco = COCO(str(dataset))
    assert len(coco.getImgIds()) == found.findings.facts["frames"] == 4
    assert len(coco.getAnnIds()) == found.findings.count == 4
    for annotation in coco.loadAnns(coco.getAnnIds()):
        [image] = coco.loadImgs(annotation["image_id"])
        assert image["width"] >= annotation["bbox"][0] + annotation["bbox"][2]
        assert coco.loadCats(annotation["category_id"])[0]["name"] == "face"


def test_the_dataset_has_an_image_of_its_own_for_each_frame(
    dataset: Path, found: SimpleNamespace
) -> None:
    images = json.loads(dataset.read_text())["images"]
    names = [image["file_name"] for image in images]
    assert names == [f"{found.media.stem}/{frame:06}.jpg" for frame in (0, 30, 60, 90)]
    assert [image["id"] for image in images] == [1, 2, 3, 4]


def test_no_json_of_a_face_has_what_clients_take_for_a_person(found: SimpleNamespace) -> None:
    for path in found.folder.glob("*.json"):
        assert "keypoints" not in path.read_text()


def test_faces_are_a_table_with_units_in_its_header(found: SimpleNamespace, dataset: Path) -> None:
    table = pd.read_csv(found.folder / f"{found.media.stem}_faces.csv")
    annotations = json.loads(dataset.read_text())["annotations"]
    box = ["x_pixels", "y_pixels", "width_pixels", "height_pixels"]
    assert table[box].to_numpy().tolist() == [each["bbox"] for each in annotations]
    assert table["frame"].tolist() == [0, 30, 60, 90]
    assert table["time_seconds"].tolist() == pytest.approx([0, 1, 2, 3], abs=0.01)
    assert {"face", "score", "nose_x_pixels", "nose_y_pixels"} <= set(table.columns)


def test_a_face_is_one_segment_of_a_tier(found: SimpleNamespace) -> None:
    document = json.loads((found.folder / f"{found.media.stem}_faces_tiers.json").read_text())
    [segment] = document["tiers"]["faces"]
    assert segment["label"] == "face 1"
    assert (segment["start"], segment["end"]) == pytest.approx((0.0, 4.0), abs=0.01)


def test_segments_that_overlap_are_laid_into_several_tiers() -> None:
    def named(start: float, end: float) -> TierSegment:
        return TierSegment(start, end, f"{start}-{end}")

    tiers = without_overlap("faces", [named(2, 5), named(0, 3), named(3, 4), named(5, 6)])
    assert {name: [each.label for each in tier] for name, tier in tiers.items()} == {
        "faces": ["0-3", "3-4", "5-6"],
        "faces 2": ["2-5"],
    }


def test_media_without_faces_gives_tables_and_datasets_that_open(
    make_video: Any, tmp_path: Path
) -> None:
    media = probe(make_video([], sound=np.zeros(16_000, np.float32)))
    annotate(media, FaceDetectionConfig(), tmp_path, Progress())
    assert pd.read_csv(tmp_path / "video_faces.csv").empty
    assert COCO(str(tmp_path / "instances_video_faces.json")).getAnnIds() == []
