"""What is due, and how far the mark moves: whatever happens in between, no file is forgotten."""

from hypothesis import given
from hypothesis import strategies as st

from orchestration.inbox.clock import Clock
from orchestration.inbox.cursor import MAX_WAITING, Cursor, HighWaterMark
from orchestration.inbox.entry import Entry
from orchestration.inbox.selection import FileStatus, advance, select, trusted


def entry(ctime: int, inode: int = 1) -> Entry:
    return Entry(f"{inode}.mp4", (ctime, inode), is_file=True)


def test_what_changed_too_lately_is_not_due() -> None:
    selection = select([entry(100), entry(20, 2), entry(95, 3)], now=105, quiet=10)

    assert [each.change_time for each in selection.due] == [(20, 2), (95, 3)]
    assert selection.growing == 1


def test_a_file_whose_fate_is_open_holds_the_mark() -> None:
    due = [entry(1), entry(2, 2), entry(3, 3)]

    mark = advance(HighWaterMark(), due, {(1, 1): FileStatus.SETTLED, (3, 3): FileStatus.SETTLED})

    assert mark == HighWaterMark((1, 1))


def test_what_waits_is_passed_and_stays_due() -> None:
    due = [entry(1), entry(2, 2)]

    mark = advance(HighWaterMark(), due, {(1, 1): FileStatus.WAITS, (2, 2): FileStatus.SETTLED})

    assert mark == HighWaterMark((2, 2), frozenset({(1, 1)}))
    assert not mark.is_settled((1, 1))
    assert mark.is_settled((2, 2))
    assert advance(mark, due[:1], {(1, 1): FileStatus.SETTLED}) == HighWaterMark((2, 2))


def test_a_file_that_waited_and_went_away_is_forgotten() -> None:
    assert advance(HighWaterMark((5, 5), frozenset({(1, 1)})), [], {}) == HighWaterMark((5, 5))


def test_a_clock_that_was_set_back_makes_all_files_due_again() -> None:
    assert trusted(HighWaterMark((100, 1)), now=99, set_back=0) == HighWaterMark()
    assert trusted(HighWaterMark((100, 1)), now=100, set_back=0) == HighWaterMark((100, 1))


def test_the_mark_goes_back_as_far_as_the_clock() -> None:
    mark = HighWaterMark((100, 1), frozenset({(20, 1), (90, 1)}))

    assert trusted(mark, now=115, set_back=20) == HighWaterMark((80, 0), frozenset({(20, 1)}))
    assert trusted(mark, now=115, set_back=500) == HighWaterMark((0, 0))


def test_a_clock_that_is_set_back_is_noticed() -> None:
    before = Clock("boot", 1_000_000_000)

    assert Clock("boot", 400_000_000).set_back_since(before) == 600_000_000
    assert Clock("boot", 999_999_999).set_back_since(before) == 0  # not read at one moment
    assert Clock("boot", 9_000_000_000).set_back_since(before) == 0
    assert Clock("another", 9_000_000_000).set_back_since(before) == 3600 * 1_000_000_000
    assert Clock.now().set_back_since(Clock.now()) == 0


def test_marks_of_absent_folders_are_kept_and_not_for_ever() -> None:
    cursor = Cursor(marks={f"/{number}": HighWaterMark((number, 0)) for number in range(100)})

    cursor.set_marks({"/5": HighWaterMark((500, 0))})

    assert cursor.marks["/5"] == HighWaterMark((500, 0))
    assert sorted(cursor.marks) == sorted(["/5", *(f"/{number}" for number in range(50, 100))])


def test_a_cursor_that_cannot_be_read_begins_anew() -> None:
    assert Cursor.read("not JSON") == Cursor()
    assert Cursor.read('{"marks": 3}') == Cursor()
    assert Cursor.read(None) == Cursor()


def test_a_cursor_comes_back_as_it_was_written() -> None:
    marks = {"/inbox/faces": HighWaterMark((7, 3), frozenset({(2, 2)}))}
    cursor = Cursor(marks=marks, clock=Clock("boot", 5), linked_until=1.5)

    assert Cursor.read(cursor.write()) == cursor


@given(
    st.lists(
        st.lists(
            st.sampled_from([FileStatus.SETTLED, FileStatus.WAITS, None]), min_size=30, max_size=30
        ),
        max_size=12,
    )
)
def test_every_file_is_settled_in_the_end_and_none_before(
    rounds: list[list[FileStatus | None]],
) -> None:
    """Whatever statuses the rounds give: what was not settled stays due, and a last round settles
    the rest.
    """
    entries = [entry(index // 3 + 1, index) for index in range(30)]
    settled: set[tuple[int, int]] = set()
    mark = HighWaterMark()
    for statuses in rounds:
        due = [each for each in entries if not mark.is_settled(each.change_time)]
        given_now = {
            each.change_time: fate
            for each, fate in zip(entries, statuses, strict=True)
            if fate is not None and each in due
        }
        mark = advance(mark, due, given_now)
        settled |= {moment for moment, fate in given_now.items() if fate is FileStatus.SETTLED}
        for each in entries:
            assert each.change_time in settled or not mark.is_settled(each.change_time)
    due = [each for each in entries if not mark.is_settled(each.change_time)]
    mark = advance(mark, due, {each.change_time: FileStatus.SETTLED for each in due})
    assert all(mark.is_settled(each.change_time) for each in entries)
    assert not mark.waiting


def test_the_cursor_stays_small_however_many_files_wait() -> None:
    due = [entry(index, index) for index in range(1, 50_001)]

    mark = advance(HighWaterMark(), due, {each.change_time: FileStatus.WAITS for each in due})

    assert len(mark.waiting) == MAX_WAITING
    assert not mark.is_settled(due[MAX_WAITING].change_time)
    assert len(Cursor(marks={"faces": mark}).write()) < 10_000
