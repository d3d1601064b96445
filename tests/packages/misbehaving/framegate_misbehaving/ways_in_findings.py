"""Returns what no pipeline returns."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.sdk import Findings

SURROGATE = "caf\udce9"


def returns_nothing(_folder: Path, _right: Findings) -> None:
    """As a function does whose author forgot the last line."""


def returns_a_dictionary(_folder: Path, right: Findings) -> dict[str, Any]:
    return dict(vars(right))


def returns_a_generator(_folder: Path, right: Findings) -> Iterator[Findings]:
    yield right


async def returns_a_coroutine(_folder: Path, right: Findings) -> Findings:
    return right


def counts_below_zero(_folder: Path, right: Findings) -> Findings:
    return replace(right, count=-1)


def counts_nan(_folder: Path, right: Findings) -> Findings:
    return replace(right, count=float("nan"))  # type: ignore[arg-type] # the point of it


def counts_in_words(_folder: Path, right: Findings) -> Findings:
    return replace(right, count="many")  # type: ignore[arg-type] # the point of it


def fact_of_nothing(_folder: Path, right: Findings) -> Findings:
    return replace(right, facts={"n": None})  # type: ignore[dict-item] # the point of it


def fact_that_is_nan(_folder: Path, right: Findings) -> Findings:
    return replace(right, facts={"n": float("nan")})


def fact_with_a_number_for_a_name(_folder: Path, right: Findings) -> Findings:
    return replace(right, facts={5: 5})  # type: ignore[dict-item] # the point of it


def table_of_text(_folder: Path, right: Findings) -> Findings:
    return replace(right, table="rows")  # type: ignore[arg-type] # the point of it


def row_of_lists(_folder: Path, right: Findings) -> Findings:
    return replace(right, table=[{"a": [1]}])  # type: ignore[dict-item] # the point of it


def notes_in_one_text(_folder: Path, right: Findings) -> Findings:
    return replace(right, notes="No sound.")


def time_below_zero(_folder: Path, right: Findings) -> Findings:
    return replace(right, timings=replace(right.timings, decode_seconds=-1.0))


def no_noun(_folder: Path, right: Findings) -> Findings:
    return replace(right, noun=None)  # type: ignore[arg-type] # the point of it


def surrogates_everywhere(_folder: Path, right: Findings) -> Findings:
    return replace(
        right,
        noun=SURROGATE,
        device=SURROGATE,
        notes=[SURROGATE],
        table=[{SURROGATE: SURROGATE}],
        columns={SURROGATE: SURROGATE},
        facts={SURROGATE: SURROGATE},
    )


def controls_everywhere(_folder: Path, right: Findings) -> Findings:
    return replace(right, noun="\x1b[2Jscenes\x00", notes=["\x00\x07"])
