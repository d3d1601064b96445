import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipelines.registry.deadline import Deadline


def test_an_answer_and_an_error_come_through() -> None:
    deadline = Deadline(60.0)

    assert deadline.call(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        deadline.call(lambda: 1 // 0)
    assert deadline.call(lambda: 8) == 8


def test_calls_of_several_threads_wait_for_each_other() -> None:
    deadline = Deadline(60.0)

    def answer(number: int) -> int:
        time.sleep(0.01)
        return number

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda n: deadline.call(lambda: answer(n)), range(8)))

    assert answers == list(range(8))


def test_a_call_that_hangs_is_left_and_the_next_one_goes_on_when_it_has_returned() -> None:
    deadline = Deadline(0.05)
    wakes, woken = threading.Event(), threading.Event()

    def hang() -> None:
        wakes.wait(60)
        woken.set()

    with pytest.raises(TimeoutError):
        deadline.call(hang)
    with pytest.raises(TimeoutError, match="earlier"):
        deadline.call(lambda: 7)
    wakes.set()
    assert woken.wait(60)

    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            assert deadline.call(lambda: 7) == 7
        except TimeoutError:
            continue  # the thread is just ending
        return
    pytest.fail("no call goes through any more")
