"""Tokens of sessions: good, replaced, copied, forgotten."""

import pytest

from api.auth import sessions
from api.auth.sessions import Presented, Sessions


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the time is, as its only item."""
    now = [1000.0]
    monkeypatch.setattr(sessions.time, "monotonic", lambda: now[0])
    return now


def renewed(opened: Sessions, token: str) -> str:
    presented = opened.present(token)
    assert presented
    assert presented.renewed
    return presented.renewed


def test_a_token_is_good_until_it_is_closed() -> None:
    opened = Sessions()
    token = opened.open("key")

    assert opened.present(token) == Presented("key", None)
    opened.close(token)
    assert opened.present(token) is None


@pytest.mark.parametrize("token", ["", "x", "a" * 10_000])
def test_another_token_is_not(token: str) -> None:
    opened = Sessions()
    opened.open("key")

    assert opened.present(token) is None


def test_a_token_is_replaced_once_the_new_one_is_presented(clock: list[float]) -> None:
    opened = Sessions(rotate_seconds=10, grace_seconds=5)
    first = opened.open("key")
    clock[0] += 11
    second = renewed(opened, first)

    assert renewed(opened, first) == second  # the answer may have been lost
    assert opened.present(second) == Presented("key", None)
    assert opened.present(first) == Presented("key", None)  # it was under way


def test_a_replaced_token_that_comes_back_ends_the_session(clock: list[float]) -> None:
    opened = Sessions(rotate_seconds=10, grace_seconds=5)
    first = opened.open("key")
    clock[0] += 11
    second = renewed(opened, first)
    opened.present(second)
    clock[0] += 6

    assert opened.present(first) is None
    assert opened.present(second) is None


def test_a_session_ends_when_it_is_not_used(clock: list[float]) -> None:
    opened = Sessions(idle_seconds=10)
    token = opened.open("key")
    clock[0] += 9
    assert opened.present(token)
    clock[0] += 11
    assert opened.present(token) is None


def test_a_session_ends_when_it_is_old_however_often_it_is_used(clock: list[float]) -> None:
    opened = Sessions(idle_seconds=10, life_seconds=20)
    token = opened.open("key")
    for _ in range(2):
        clock[0] += 9
        assert opened.present(token)
    clock[0] += 9
    assert opened.present(token) is None


def test_the_session_that_was_used_least_recently_makes_room() -> None:
    opened = Sessions()
    tokens = [opened.open("key") for _ in range(1000)]
    opened.present(tokens[0])
    opened.open("key")

    assert opened.present(tokens[0])
    assert opened.present(tokens[1]) is None
