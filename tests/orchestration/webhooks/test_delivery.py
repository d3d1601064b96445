"""From the outbox to a real receiver that may be dead, slow, picky or gone."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from contracts.project import PROJECT
from contracts.webhook import Target, new_secret
from orchestration.webhooks import delivery
from orchestration.webhooks.backoff import after_failure, is_hopeless
from orchestration.webhooks.delivery import deliver
from orchestration.webhooks.outbox import Entry, Outbox

BUDGET = 60.0
DAY = 24 * 3600.0


@pytest.fixture
def due(outbox: Outbox) -> Callable[[], None]:
    """Lets all pauses pass."""

    def wait() -> None:
        for target in outbox.targets():
            for entry in list(outbox.entries(target)):
                outbox.put_off(replace(entry, next_attempt_at=0.0))

    return wait


@pytest.fixture
def verified() -> Callable[..., dict[str, Any]]:
    """The receiver that the documentation shows."""
    page = (PROJECT / "docs" / "webhooks.md").read_text()
    code = page.split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(code, names)  # noqa: S102 - it is the project's own page
    function: Callable[..., dict[str, Any]] = names["verified"]
    return function


def test_the_receiver_in_the_documentation_takes_the_message(
    outbox: Outbox, receiver: Any, target_of: Any, add: Any, verified: Any
) -> None:
    entry, target = add(), target_of(receiver)
    assert deliver(outbox, [target], budget_seconds=BUDGET).delivered == 1
    [(headers, body)] = receiver.got
    assert verified(headers, body, target.secret) == {"number": 1}
    assert headers["webhook-id"] == entry.message_id
    assert headers["content-type"] == "application/json"
    assert outbox.targets() == []


def test_the_receiver_in_the_documentation_takes_nothing_else(
    outbox: Outbox, receiver: Any, target_of: Any, add: Any, verified: Any
) -> None:
    add()
    target = target_of(receiver)
    deliver(outbox, [target], budget_seconds=BUDGET)
    [(headers, body)] = receiver.got
    old = headers | {"webhook-timestamp": str(int(time.time()) - 1000)}
    for case in (
        (headers, body + b" ", target.secret),
        (headers, body, new_secret()),
        (headers | {"webhook-id": "msg_other"}, body, target.secret),
        (old, body, target.secret),
        (headers | {"webhook-signature": "v2,AAAA"}, body, target.secret),
    ):
        with pytest.raises(ValueError, match="the "):
            verified(*case)


def test_what_fails_is_tried_again_with_the_same_id_until_it_works(
    outbox: Outbox, make_receiver: Any, target_of: Any, add: Any, due: Any
) -> None:
    receiver = make_receiver(500, 0, 429, 302)
    entry, target = add(), target_of(receiver)
    for _ in range(4):
        assert deliver(outbox, [target], budget_seconds=BUDGET).put_off == 1
        assert deliver(outbox, [target], budget_seconds=BUDGET).put_off == 0, "not yet due"
        due()
    assert deliver(outbox, [target], budget_seconds=BUDGET).delivered == 1
    assert receiver.ids == [entry.message_id] * 5
    assert {body for _headers, body in receiver.got} == {entry.body.encode()}


def test_a_silent_target_is_left_alone_and_delays_nobody(
    outbox: Outbox,
    make_receiver: Any,
    target_of: Any,
    add: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "ATTEMPT_SECONDS", 1.0)
    hanging, well = make_receiver(-3, -3, -3), make_receiver()
    for number in range(3):
        add("alice", number)
        add("bob", number)
    targets = [target_of(hanging, "alice"), target_of(well, "bob")]
    count = deliver(outbox, targets, budget_seconds=BUDGET)
    assert (count.delivered, count.put_off) == (3, 1)
    assert well.ids == ["msg_bob_0", "msg_bob_1", "msg_bob_2"]
    assert hanging.ids == ["msg_alice_0"]
    again = deliver(outbox, targets, budget_seconds=BUDGET)
    assert (again.delivered, again.put_off) == (0, 0)
    assert hanging.ids == ["msg_alice_0"]


def test_a_message_that_is_refused_does_not_hold_up_those_behind_it(
    outbox: Outbox, make_receiver: Any, target_of: Any, add: Any
) -> None:
    receiver = make_receiver(400)
    for number in range(3):
        add(number=number)
    count = deliver(outbox, [target_of(receiver)], budget_seconds=BUDGET)
    assert (count.delivered, count.put_off) == (2, 1)
    [left] = outbox.entries("_everybody")
    assert (left.attempts, left.failure) == (1, "The receiver answers 400.")


def test_messages_behind_hundreds_that_were_refused_are_delivered(
    outbox: Outbox, receiver: Any, target_of: Any, add: Any
) -> None:
    for number in range(210):
        entry = add(number=number)
        if number < 205:
            outbox.put_off(replace(entry, attempts=3, next_attempt_at=time.time() + 3600))

    assert deliver(outbox, [target_of(receiver)], budget_seconds=BUDGET).delivered == 5


def test_a_receiver_that_refuses_everything_is_asked_so_often_in_a_round(
    outbox: Outbox,
    make_receiver: Any,
    target_of: Any,
    add: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "_MOST_ATTEMPTS", 3)
    receiver = make_receiver(400, 400, 400, 400, 400)
    for number in range(5):
        add(number=number)
    deliver(outbox, [target_of(receiver)], budget_seconds=BUDGET)
    assert len(receiver.got) == 3
    deliver(outbox, [target_of(receiver)], budget_seconds=BUDGET)
    assert len(receiver.got) == 5


def test_no_attempt_begins_that_the_budget_cannot_end(
    outbox: Outbox, receiver: Any, target_of: Any, add: Any
) -> None:
    add()
    count = deliver(outbox, [target_of(receiver)], budget_seconds=1.0)
    assert str(count) == ""
    assert receiver.got == []


def test_nobody_there_is_a_failure_like_any_other(outbox: Outbox, add: Any) -> None:
    add()
    target = Target("http://127.0.0.1:1/", new_secret())
    assert deliver(outbox, [target], budget_seconds=BUDGET).put_off == 1
    [entry] = outbox.entries("_everybody")
    assert "ConnectError" in (entry.failure or "")


def test_redirects_are_not_followed(
    outbox: Outbox, make_receiver: Any, target_of: Any, add: Any
) -> None:
    receiver = make_receiver(307)
    add()
    deliver(outbox, [target_of(receiver)], budget_seconds=BUDGET)
    assert len(receiver.got) == 1


def test_after_a_day_it_is_given_up_with_its_reason(
    outbox: Outbox, make_receiver: Any, target_of: Any, add: Any
) -> None:
    entry = add(age=DAY + 1)
    count = deliver(outbox, [target_of(make_receiver(503))], budget_seconds=BUDGET)
    assert count.given_up == 1
    assert outbox.targets() == []
    kept = json.loads((outbox.home.failed_webhooks / "_everybody" / entry.name).read_text())
    assert kept["failure"] == "The receiver answers 503."


def test_of_a_receiver_that_was_silent_for_a_day_all_that_is_so_old_is_given_up_at_once(
    outbox: Outbox, make_receiver: Any, target_of: Any, add: Any
) -> None:
    """And it is asked no more often for that: the first that stays waits as the last one did."""
    receiver = make_receiver(503, 503)
    outbox.put_off(replace(add(number=0, age=DAY + 50), attempts=9, is_silent=True))
    for number in range(1, 50):
        add(number=number, age=DAY + 50 - number)
    young = add(number=50, age=60)
    add(number=51, age=50)

    count = deliver(outbox, [target_of(receiver)], budget_seconds=BUDGET)

    assert (count.given_up, len(receiver.got)) == (50, 1)
    waits, last = outbox.entries("_everybody")
    assert (waits.name, waits.attempts, waits.is_silent) == (young.name, 10, True)
    assert waits.next_attempt_at > time.time() + 1000
    assert last.attempts == 0
    assert str(deliver(outbox, [target_of(receiver)], budget_seconds=BUDGET)) == ""


def test_what_cannot_be_read_is_set_aside_and_told(
    outbox: Outbox, receiver: Any, target_of: Any, add: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """As after a power failure."""
    entry = add(number=1)
    broken = outbox.home.webhook_outbox / "_everybody" / "000000000000000-run.json"
    broken.touch()

    assert deliver(outbox, [target_of(receiver)], budget_seconds=BUDGET).delivered == 1

    assert receiver.ids == [entry.message_id]
    assert (outbox.home.failed_webhooks / "_everybody" / broken.name).exists()
    assert "a webhook in the outbox cannot be read" in caplog.messages


def test_a_message_and_its_name_are_on_the_disk_before_it_counts_as_announced(
    add: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power failure cannot be had here: this sees that all of it is handed to the disk."""
    synced: list[Path] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    add()

    message, folder, outbox = synced
    assert message.suffix == ".json"
    assert message.parent == folder
    assert (folder.name, outbox.name) == ("_everybody", "outbox")


def test_of_a_day_in_which_nothing_ran_each_message_still_has_its_attempt(
    outbox: Outbox, receiver: Any, target_of: Any, add: Any
) -> None:
    add(age=3 * DAY)
    assert deliver(outbox, [target_of(receiver)], budget_seconds=BUDGET).delivered == 1


def test_what_was_for_a_target_that_was_removed_is_given_up(outbox: Outbox, add: Any) -> None:
    entry = add("alice")
    assert deliver(outbox, [], budget_seconds=BUDGET).given_up == 1
    kept = json.loads((outbox.home.failed_webhooks / "alice" / entry.name).read_text())
    assert kept["failure"] == "The target was removed."


def test_no_secret_is_written_into_the_outbox(
    outbox: Outbox, make_receiver: Any, target_of: Any, add: Any, tmp_path: Path
) -> None:
    target = target_of(make_receiver(500))
    add()
    deliver(outbox, [target], budget_seconds=BUDGET)
    written = [path.read_text() for path in tmp_path.rglob("*.json")]
    assert written
    assert not any(target.secret in text or target.url in text for text in written)


def test_pauses_double_up_to_an_hour_and_differ_a_little() -> None:
    entry = Entry("n", "t", "m", "{}", 0.0)
    pauses = []
    for _ in range(12):
        entry = after_failure(entry, "no", 0.0, is_silent=True, chance=0.5)
        pauses.append(entry.next_attempt_at)
    assert pauses[:4] == [10.0, 20.0, 40.0, 80.0]
    assert pauses[-1] == 3600.0
    early = after_failure(entry, "no", 0.0, is_silent=True, chance=0.0).next_attempt_at
    late = after_failure(entry, "no", 0.0, is_silent=True, chance=1.0).next_attempt_at
    assert (early, late) == (2880.0, pytest.approx(4320.0))


def test_only_what_was_tried_can_be_hopeless() -> None:
    entry = Entry("n", "t", "m", "{}", 0.0)
    assert not is_hopeless(entry, 2 * DAY)
    assert is_hopeless(replace(entry, attempts=1), 2 * DAY)
    assert not is_hopeless(replace(entry, attempts=9), DAY / 2)
