"""RTTM, WebVTT, COCO and scene files are what their formats say, whatever goes in."""

import json
from pathlib import Path

import pytest

from contracts.atomic_file import replacing
from pipelines.outputs.coco import write_coco
from pipelines.outputs.rttm import Turn, write_rttm
from pipelines.outputs.scenes import Scene, write_scenes
from pipelines.outputs.webvtt import Cue, write_webvtt

HOSTILE = "a b\tc\nd\x00e --> <v x>&"


def fail_while_writing(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("half a fi")
        raise RuntimeError("interrupted")


def test_a_file_appears_whole(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    with replacing(path) as temporary:
        temporary.write_text("{}")
        assert temporary.suffix == ".json"
        assert not path.exists()
    assert path.read_text() == "{}"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    path.write_text("before")
    with pytest.raises(RuntimeError, match="interrupted"):
        fail_while_writing(path)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_rttm_lines_have_ten_fields_whatever_the_names(tmp_path: Path) -> None:
    path = tmp_path / "out.rttm"
    write_rttm(path, HOSTILE, [Turn(0.5, 1.25, "speech"), Turn(3, 0.1, HOSTILE), Turn(4, 1, "")])
    lines = [line.split(" ") for line in path.read_text().splitlines()]
    assert [len(line) for line in lines] == [10, 10, 10]
    assert lines[0][:5] == ["SPEAKER", "a_b_c_d_e_-->_<v_x>&", "1", "0.500", "1.250"]
    assert lines[0][5:] == ["<NA>", "<NA>", "speech", "<NA>", "<NA>"]
    assert lines[2][7] == "unknown"


def test_webvtt_writes_times_in_full_and_escapes_text(tmp_path: Path) -> None:
    path = tmp_path / "out.vtt"
    write_webvtt(path, [Cue(0, 1.5, "Scene 1"), Cue(3725.0625, 3725.0625, HOSTILE), Cue(1, 2, "")])
    assert path.read_bytes().decode() == (
        "WEBVTT\n"
        "\n1\n00:00:00.000 --> 00:00:01.500\nScene 1\n"
        "\n2\n01:02:05.062 --> 01:02:05.063\na b c d e --&gt; &lt;v x&gt;&amp;\n"
        "\n3\n00:00:01.000 --> 00:00:02.000\n-\n"
    )


def test_webvtt_without_cues_is_its_first_line(tmp_path: Path) -> None:
    write_webvtt(tmp_path / "out.vtt", [])
    assert (tmp_path / "out.vtt").read_text() == "WEBVTT\n"


def test_coco_puts_annotations_before_images(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_coco(
        path,
        info={"description": HOSTILE},
        annotations=({"id": number, "image_id": "7"} for number in range(3)),
        images=[{"id": "7"}],
        categories=[{"id": 1, "name": "face"}],
    )
    content = json.loads(path.read_text())
    assert list(content) == ["info", "annotations", "images", "categories"]
    assert [item["id"] for item in content["annotations"]] == [0, 1, 2]
    assert content["info"]["description"] == HOSTILE


def test_coco_of_nothing_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_coco(path, info={}, annotations=[], images=[], categories=[])
    assert json.loads(path.read_text())["annotations"] == []


def test_coco_refuses_what_json_does_not_have(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    nan = [{"score": float("nan")}]
    with pytest.raises(ValueError, match="Out of range float"):
        write_coco(path, info={}, annotations=nan, images=[], categories=[])
    assert list(tmp_path.iterdir()) == []


def test_scenes_are_written_as_clients_read_them(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    write_scenes(path, [Scene(frame_start=0, frame_end=24, start=0.0, end=1.0, score=1.0)])
    assert json.loads(path.read_text()) == {
        "scenes": [
            {
                "id": 1,
                "start": 0.0,
                "end": 1.0,
                "start_time": 0.0,
                "end_time": 1.0,
                "duration": 1.0,
                "frame_start": 0,
                "frame_end": 24,
                "score": 1.0,
            }
        ]
    }


def test_no_scene_is_an_empty_list(tmp_path: Path) -> None:
    write_scenes(tmp_path / "out.json", [])
    assert json.loads((tmp_path / "out.json").read_text()) == {"scenes": []}
