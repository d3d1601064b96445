"""The checker itself: a good history passes, and each violation planted in it is found."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.deep.soak.history import (
    Begun,
    Drained,
    History,
    Kill,
    Leases,
    Record,
    Request,
    Run,
    Sample,
    StackTold,
    Stopped,
    read_history,
)
from tests.deep.soak.invariants import INVARIANTS, violations
from tests.deep.soak.report import summary, table

DONE = ("PIPELINE_SUCCESS",)
WHOLE = {"wanted": ("misbehaving",), "whole": ("misbehaving",)}

#: One job that completed, one submitted over a connection that was cut, one retry, one deletion.
GOOD: tuple[Record, ...] = (
    Begun(seed=1, minutes=1.0, database="sqlite"),
    Request(0.0, 0.1, "submit", 201, submission="s1", job="one", state="pending"),
    Request(0.2, 0.3, "submit", None, submission="s2"),
    Kill(0.4, "API", [7]),
    Request(0.5, 0.6, "submit", 201, submission="s2", job="two", state="pending"),
    Request(1.0, 1.1, "look", 200, job="one", state="completed"),
    Request(1.2, 1.3, "cancel", 200, job="two", state="cancelled"),
    Request(1.4, 1.5, "retry", 201, submission="two", job="three", state="pending"),
    Request(1.6, 1.7, "submit", 201, submission="s3", job="four", state="pending"),
    Request(1.8, 1.9, "delete", 204, job="four"),
    Request(2.0, 2.1, "look", 404, "JOB_NOT_FOUND", job="four"),
    Request(2.2, 2.3, "download", 200, job="one", state="whole"),
    *(Sample(10.0 * tick, "API", 8, 100 * 2**20, 20) for tick in range(60)),
    Leases(0.7, ("one",)),
    Run("one", "completed", "s1", endings=DONE, **WHOLE),
    Run("two", "cancelled", "s2", endings=("PIPELINE_CANCELED",), wanted=("misbehaving",)),
    Run("three", "completed", "s2", parent="two", endings=DONE, **WHOLE),
    Drained(),
    Stopped(exit_code=0),
)

Change = Callable[[list[Record]], list[Record]]


def _add(*records: Record) -> Change:
    return lambda history: [*history, *records]


def _without(record: Record) -> Change:
    return lambda history: [each for each in history if each != record]


def _run(of: str, /, **changes: object) -> Change:
    """The run of this id, changed."""
    return lambda history: [
        replace(each, **changes)  # type: ignore[arg-type]
        if isinstance(each, Run) and each.run_id == of
        else each
        for each in history
    ]


ONE = next(record for record in GOOD if isinstance(record, Run))
LEASED = next(record for record in GOOD if isinstance(record, Leases))
STOPPED = GOOD[-1]

PLANTED: list[tuple[str, Change]] = [
    ("each accepted submission has exactly one run", _without(ONE)),
    ("each accepted submission has exactly one run", _add(replace(ONE, run_id="other"))),
    (
        "each accepted submission has exactly one run",
        _add(Request(3.0, 3.1, "submit", 201, submission="s1", job="two")),
    ),
    (
        "each accepted submission has exactly one run",
        _add(
            Request(3.0, 3.1, "submit", 400, submission="refused"),
            replace(ONE, run_id="other", submission="refused"),
        ),
    ),
    ("no run that nobody asked for", _add(replace(ONE, run_id="other", submission="unheard of"))),
    ("no run that nobody asked for", _add(replace(ONE, run_id="other", parent="one"))),
    ("no run that nobody asked for", _run("three", run_id="renamed")),
    ("each run ends, and once", _run("one", status="STARTED", endings=())),
    ("each run ends, and once", _run("one", endings=DONE * 2)),
    ("each run ends, and once", _run("one", endings=("PIPELINE_FAILURE",))),
    (
        "a job that has ended stays as it ended",
        _add(Request(3.0, 3.1, "look", 200, job="one", state="failed")),
    ),
    ("a job that has ended stays as it ended", _run("one", status="failed")),
    ("no job is lost", _add(Request(3.0, 3.1, "look", 404, job="one"))),
    ("no job is lost", _add(Request(1.61, 1.65, "look", 404, job="four"))),
    ("a job ends as it was asked to", _run("one", behaviour="raise")),
    ("results are whole, and match the state", _run("one", whole=())),
    ("results are whole, and match the state", _run("two", broken=("partial/misbehaving",))),
    (
        "results are whole, and match the state",
        _add(Request(3.0, 3.1, "download", 200, job="one", state="broken")),
    ),
    ("leases are of live runs", _add(Leases(3.0, ("one",)))),
    ("nothing is held when nothing runs", _add(Drained(processes=("a supervisor",)))),
    ("nothing is held when nothing runs", _add(Drained(leases=("one.json",)))),
    ("nothing is held when nothing runs", _add(Drained(folders_without_run=("five",)))),
    (
        "every answer is in words",
        _add(Request(3.0, 3.1, "list", 500, "INTERNAL_SERVER_ERROR", complaint="Oh.")),
    ),
    ("every answer is in words", _add(Request(3.0, 3.1, "submit", 404, submission="s9"))),
    ("the stack comes back", _add(StackTold(3.0, "failed", "The daemon ended."))),
    (
        "memory and file handles are flat",
        _add(*(Sample(10.0 * tick, "daemon", 9, 2**20 * tick, 20) for tick in range(60))),
    ),
    (
        "memory and file handles are flat",
        _add(*(Sample(10.0 * tick, "daemon", 9, 2**20, 20 + tick) for tick in range(60))),
    ),
    ("a stopped stack leaves nothing", _without(STOPPED)),
    ("a stopped stack leaves nothing", _add(Stopped(0, processes=("python -m api",)))),
    ("a stopped stack leaves nothing", _add(Stopped(0, ports=(8000,)))),
    ("a stopped stack leaves nothing", _add(Stopped(1))),
    ("something happened", _without(GOOD[3])),
    ("something happened", _without(LEASED)),
]


def test_a_good_history_passes_also_after_it_was_written_and_read(tmp_path: Path) -> None:
    history = History(tmp_path / "history.jsonl")
    for record in GOOD:
        history.add(record)

    assert violations(list(GOOD)) == []
    assert violations(list(read_history(history.path))) == []


@pytest.mark.parametrize(("invariant", "plant"), PLANTED)
def test_each_planted_violation_is_found(invariant: str, plant: Change) -> None:
    found = violations(plant(list(GOOD)))

    assert invariant in {violation.invariant for violation in found}


def test_every_invariant_has_a_violation_planted_for_it() -> None:
    assert {invariant for invariant, _plant in PLANTED} == set(INVARIANTS)


def test_a_report_names_what_was_violated_the_seed_and_the_history() -> None:
    records = _run("one", endings=DONE * 2)(list(GOOD))
    found = violations(records)

    told = table(summary(records, found), "history.jsonl")

    assert "VIOLATED: each run ends, and once: one: " in told
    assert "Seed 1; history history.jsonl" in told
