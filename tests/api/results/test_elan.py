"""The ELAN document, read back by pympi."""

from pathlib import Path

import pytest
from pympi import Eaf

from api.results.elan import Segment, annotation_document

TIERS = {
    "scenes": [Segment(0.0, 1.5, "scene 1"), Segment(1.5, 4.0, "scene 2")],
    "faces": [Segment(0.25, 0.25, 'face 1 <"&>\x00')],
}


@pytest.fixture
def document(tmp_path: Path) -> Eaf:
    path = tmp_path / "clip.eaf"
    content = annotation_document(TIERS, video="a & b.mp4", created_at="2026-11-27T09:00:00.000Z")
    path.write_bytes(content)
    return Eaf(str(path))


def test_each_kind_has_a_tier_with_times_in_milliseconds(document: Eaf) -> None:
    assert list(document.get_tier_names()) == ["scenes", "faces"]
    spans = [each[:3] for each in document.get_annotation_data_for_tier("scenes")]
    assert spans == [(0, 1500, "scene 1"), (1500, 4000, "scene 2")]


def test_a_moment_lasts_a_millisecond(document: Eaf) -> None:
    [(start, end, *_)] = document.get_annotation_data_for_tier("faces")
    assert (start, end) == (250, 251)


def test_labels_keep_every_character_that_xml_can_hold(document: Eaf) -> None:
    [(_start, _end, label, *_)] = document.get_annotation_data_for_tier("faces")
    assert label == 'face 1 <"&> '


def test_the_video_beside_it_is_linked(document: Eaf) -> None:
    [linked] = document.get_linked_files()
    assert linked["RELATIVE_MEDIA_URL"] == "./a & b.mp4"
    assert linked["MIME_TYPE"] == "video/mp4"
