"""Events of many logs and an index over them get numbers that keep both orders."""

from itertools import chain

from hypothesis import given
from hypothesis import strategies as st

from orchestration.database.numbering import Mirrored, number_events


def test_a_runs_events_are_numbered_in_their_order() -> None:
    numbering = number_events([], {"a": 3, "b": 2})

    assert list(numbering.of_run("a")) == [1, 2, 3]
    assert list(numbering.of_run("b")) == [4, 5]
    assert list(numbering.of_run("nobody")) == []


def test_the_indexs_order_goes_before_that_of_the_runs() -> None:
    index = [Mirrored(1, "a", 0), Mirrored(2, "b", 1), Mirrored(3, "a", 2)]
    numbering = number_events(index, {"a": 4, "b": 2})

    assert list(numbering.of_run("a")) == [1, 4, 5, 6]
    assert list(numbering.of_run("b")) == [2, 3]
    assert numbering.of_index == {1: 1, 2: 3, 3: 5}


def test_an_event_that_only_the_index_has_is_numbered_in_its_place() -> None:
    index = [Mirrored(1, "deleted", None), Mirrored(5, "a", 0), Mirrored(9, "deleted", None)]
    numbering = number_events(index, {"a": 1})

    assert numbering.only_in_index == {1, 9}
    assert numbering.of_index == {1: 1, 5: 2, 9: 3}


def test_what_has_seen_the_index_up_to_an_event_goes_on_after_the_same_event() -> None:
    index = [Mirrored(1, "a", 0), Mirrored(4, "b", 5)]
    numbering = number_events(index, {"a": 1, "b": 6})

    assert numbering.after(0) == 0
    assert numbering.after(1) == 1
    assert numbering.after(3) == 1
    assert numbering.after(4) == numbering.after(100) == 7


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40))
def test_each_event_has_a_number_of_its_own_and_both_orders_are_kept(
    written: list[tuple[str, bool]],
) -> None:
    """`written` are events as they came: of which run, and whether mirrored."""
    counts: dict[str, int] = {}
    index = []
    for number, (run, is_mirrored) in enumerate(written, start=1):
        if is_mirrored:
            index.append(Mirrored(number, run, counts.get(run, 0)))
        counts[run] = counts.get(run, 0) + 1

    numbering = number_events(index, counts)

    of_runs = {run: list(numbering.of_run(run)) for run in counts}
    assert sorted(chain.from_iterable(of_runs.values())) == list(range(1, len(written) + 1))
    assert all(ids == sorted(ids) for ids in of_runs.values())
    new = [numbering.of_index[event.id] for event in index]
    assert new == sorted(new)
    assert all(
        numbering.of_index[event.id] == of_runs[event.run_id][event.position or 0]
        for event in index
    )
