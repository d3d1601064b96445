import json
import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.strict_json import MAX_DEPTH, StrictJsonError, parse_json

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_whatever_python_writes_as_json_is_read_back(value: Any) -> None:
    assert parse_json(json.dumps(value)) == value
    assert parse_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(st.binary())
def test_any_bytes_are_either_refused_or_read_as_what_can_be_written_again(body: bytes) -> None:
    with suppress(StrictJsonError):
        assert json.dumps(parse_json(body), allow_nan=False, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Not valid JSON: Expecting value (line 1, column 1)"),
        (b'{"a": 1,}', "Not valid JSON: "),
        (b"{}x", "Not valid JSON: Extra data (line 1, column 3)"),
        (b"\xef\xbb\xbf{}", "Not valid JSON: Expecting value (line 1, column 1)"),
        (b'{"a": "\xff"}', "Not valid UTF-8 (line 1, column 8)"),
        (b'"\xed\xa0\x80"', "Not valid UTF-8 (line 1, column 2)"),
        (b'{"a":\n NaN}', "NaN is not JSON (line 2, column 2)"),
        (b"[-Infinity]", "-Infinity is not JSON (line 1, column 2)"),
        (b'{"a": [1, 1e400]}', "Number out of range: 1e400 (line 1, column 11)"),
        (b'{"a": "1e400", "b": -1e999}', "Number out of range: -1e999 (line 1, column 21)"),
        (b"[" + b"9" * 5000 + b"]", "Number out of range: 9999"),
        (b'{"a": 1, "b": {"a": 1}, "a": 2}', 'Duplicate key "a" (line 1, column 25)'),
        (b'{"a": 1, "\\u0061": 2}', 'Duplicate key "\\u0061" (line 1, column 10)'),
        (b'["a", "\\ud800"]', "Lone surrogate in a string (line 1, column 7)"),
        (b'{"\\udfff": 1}', "Lone surrogate in a string (line 1, column 2)"),
        (b"[" * 20_000, "Nested deeper than 64 levels (line 1, column 65)"),
        (b'{"a":' * 20_000, "Nested deeper than 64 levels (line 1, column 321)"),
    ],
    ids=lambda value: repr(value[:30]),
)
def test_a_defect_is_named_with_its_place(body: bytes, message: str) -> None:
    with pytest.raises(StrictJsonError) as caught:
        parse_json(body)
    assert str(caught.value).startswith(message)


def test_a_number_with_many_digits_behind_the_point_is_no_defect() -> None:
    exact = "0." + 400 * "9"
    assert parse_json(f"[{exact}]") == [1.0]
    with pytest.raises(StrictJsonError, match='Duplicate key "a"'):
        parse_json(f'[{exact}, {{"a": 1, "a": 2}}]')


def test_escaped_pairs_of_surrogates_are_characters() -> None:
    assert parse_json(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


def test_brackets_in_strings_are_no_levels() -> None:
    assert parse_json(json.dumps(["[" * 1000])) == ["[" * 1000]


def test_the_deepest_allowed_nesting_is_read() -> None:
    assert parse_json("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    with pytest.raises(StrictJsonError):
        parse_json("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "body",
    [
        b"[]" * 100 + b'"' + b'\\"' * 300_000,
        b"[" + b"[]," * 100 + b"9" * 1_000_000,
        b"[" + b"[]," * 100 + b'""' + b" " * 1_000_000,
        b'{"' + b"a" * 1_000_000,
        b"\n" * 1_000_000,
    ],
    ids=lambda body: repr(body[:8]),
)
def test_time_grows_with_the_length_of_the_body_and_not_with_its_square(body: bytes) -> None:
    started = time.monotonic()
    with pytest.raises(StrictJsonError):
        parse_json(body)
    assert time.monotonic() - started < 5
