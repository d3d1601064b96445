"""What a pipeline returned is right, or its author is told in the author's words."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import FindingsError
from pipelines.findings import Findings, ResultFile, Role, Timings
from pipelines.findings_check import check_findings

RIGHT = Findings(
    count=2,
    noun="scenes",
    files=[ResultFile("a.json", Role.ANNOTATIONS, "application/json")],
    device="cpu",
    timings=Timings(0.0, 1, 0.5),
    table=[{"start": 1.5, "label": "day"}],
    columns={"start": "seconds"},
    notes=("One note.",),
    facts={"frames": 3, "is_long": True},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.json").write_text("{}")
    return tmp_path


def test_what_is_right_stays_as_it_is(folder: Path) -> None:
    checked = check_findings(RIGHT, folder)

    assert (checked.count, checked.noun, checked.facts) == (2, "scenes", RIGHT.facts)
    assert list(checked.table) == list(RIGHT.table)
    assert list(checked.notes) == list(RIGHT.notes)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"count": True}, "count must be a whole number"),
        ({"count": 2.0}, "count must be a whole number"),
        ({"device": 0}, "device must be text; it is 0"),
        ({"files": ["a.json"]}, "files must hold ResultFile, not str"),
        ({"files": "a.json"}, "files must be a list"),
        ({"files": [ResultFile("", Role.VIDEO, "a/b")]}, "the name of a result must be text"),
        ({"files": [ResultFile(".", Role.VIDEO, "a/b")]}, "a file in its folder itself"),
        ({"files": [ResultFile("..", Role.VIDEO, "a/b")]}, "a file in its folder itself"),
        ({"files": [ResultFile("a.json", "other", "a/b")]}, "the role of 'a.json' must be one of"),  # type: ignore[arg-type] # the point of it
        ({"files": [ResultFile("a.json", Role.VIDEO, "a\r\nX: b")]}, "media type of 'a.json'"),
        ({"timings": None}, "timings must be Timings, not NoneType"),
        ({"timings": Timings(0.0, float("inf"), 0.0)}, "timings.inference_seconds must be"),
        ({"facts": []}, "facts must be a mapping"),
        ({"facts": {"n": object()}}, "facts.n must be text or a number; it is of type object"),
        ({"table": [5]}, "table[0] must be a mapping"),
        ({"notes": [None]}, "notes[0] must be text; it is None"),
        ({"columns": {"a": 5}}, "columns.a must be text"),
    ],
)
def test_what_is_wrong_is_told_in_the_authors_words(
    folder: Path, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(FindingsError) as raised:
        check_findings(replace(RIGHT, **change), folder)

    assert told in raised.value.message
    assert str(folder) not in raised.value.message
