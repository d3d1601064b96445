"""What is said of a part that ended."""

import signal

import pytest

from api.stack.restart import WINDOW_SECONDS
from api.stack.stack import _describe, _occasion


@pytest.mark.parametrize("code", [0, 1, 128, 168, 255])
def test_an_exit_code_that_is_no_signals_is_told_as_it_is(code: int) -> None:
    assert _describe(code) == f"with exit code {code}"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_signal_is_told_by_its_name(number: signal.Signals) -> None:
    assert _describe(128 + number) == f"by {number.name}"


def test_ends_of_long_ago_are_not_counted() -> None:
    long_ago = [float(second) for second in range(20)]
    recent = [100.0 + WINDOW_SECONDS, 101.0 + WINDOW_SECONDS]

    assert _occasion([*long_ago, *recent]) == "2 times within 60 s"
