from api.stack.restart import DELAYS_SECONDS, WINDOW_SECONDS, restart_delay


def test_a_part_that_was_never_ready_is_not_started_again() -> None:
    assert restart_delay([10.0], was_ready=False) is None


def test_the_first_end_is_answered_almost_at_once() -> None:
    assert restart_delay([10.0], was_ready=True) == DELAYS_SECONDS[0]


def test_each_further_end_within_the_window_is_answered_later() -> None:
    ends = [10.0, 11.0, 12.0]

    delays = [restart_delay(ends[:count], was_ready=True) for count in (1, 2, 3)]

    assert delays == sorted(DELAYS_SECONDS)


def test_too_many_ends_within_the_window_give_the_stack_up() -> None:
    ends = [float(number) for number in range(len(DELAYS_SECONDS) + 1)]

    assert restart_delay(ends, was_ready=True) is None


def test_ends_of_long_ago_are_forgiven() -> None:
    ends = [0.0, 1.0, 2.0, 3.0 + WINDOW_SECONDS]

    assert restart_delay(ends, was_ready=True) == DELAYS_SECONDS[0]
