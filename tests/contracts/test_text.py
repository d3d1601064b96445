import json

import pytest

from contracts.run import Failure, MediaFacts
from contracts.text import clean_json, clean_text


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain", "plain"),
        ("two\nlines\tand 😀", "two\nlines\tand 😀"),
        ("caf\udce9", "caf\ufffd"),
        ("\x00\x1b[2J\x9b", "\ufffd\ufffd[2J\ufffd"),
    ],
)
def test_text_can_be_stored_and_shown(text: str, clean: str) -> None:
    assert clean_text(text) == clean
    assert clean_text(clean) == clean


def test_text_is_cut_where_nobody_would_read_on() -> None:
    assert clean_text("abcdef", 4) == "abc…"


@pytest.mark.parametrize(
    "value",
    ["caf\udce9", "\ud83d", "\ude00\ud83d", "\x00", {"\udce9": ["\ud800\ud800"]}, "\\udce9"],
)
def test_json_holds_no_half_characters(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        clean = clean_json(text)
        json.dumps(json.loads(clean), ensure_ascii=False).encode()
        assert "\x00" not in clean
        assert clean_json(clean) == clean


@pytest.mark.parametrize("value", ["😀", "\\", "\\\\udce9", "a\u2028b", "\\ud83d\\ude00"])
def test_json_that_is_fit_stays_as_it_is(value: str) -> None:
    for text in (json.dumps(value), json.dumps(json.dumps(value))):
        assert clean_json(text) == text


def test_numbers_that_are_no_json_become_null_and_text_stays() -> None:
    text = json.dumps({"a": float("nan"), "b": [float("-inf"), 1.5], "c": 'NaN "Infinity'})

    assert json.loads(clean_json(text)) == {"a": None, "b": [None, 1.5], "c": 'NaN "Infinity'}
    assert clean_json("Infinity War.mp4") == "Infinity War.mp4"


def test_a_failure_is_clean_whoever_wrote_its_tag() -> None:
    written = json.dumps({"code": "X", "message": "caf\udce9", "hint": None})

    assert Failure.from_tag(written).message == "caf\ufffd"
    assert "udce9" not in Failure("X", "caf\udce9").to_tag()


@pytest.mark.parametrize("tag", ["", "5", "[]", "{}", '{"code": 1, "message": "m"}', '{"x": 1}'])
def test_a_failure_tag_that_somebody_else_wrote_is_none(tag: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        Failure.from_tag(tag)


@pytest.mark.parametrize("size", ["NaN", "Infinity", '"many"', "null"])
def test_facts_of_media_that_somebody_else_wrote_are_none(size: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        MediaFacts.from_tag(f'{{"filename": "a", "size_bytes": {size}, "duration_seconds": 1}}')
