import json
import threading
from typing import Any

import pytest

from orchestration.launcher.release import held_bytes, wait_for_release
from pipelines.registry.devices import InventoryError

UUID = "GPU-1"
OURS = frozenset({10, 11})


def test_only_the_runs_own_processes_count_as_holders(inventory: Any) -> None:
    inventory.holders = {UUID: {10: 100, 11: 20, 99: 5000}}

    assert held_bytes(inventory, UUID, OURS) == 120


def test_memory_that_comes_back_is_proven(inventory: Any) -> None:
    inventory.holders = {UUID: {10: 100}}
    timer = threading.Timer(0.1, inventory.holders.clear)
    timer.start()

    release = wait_for_release(inventory, UUID, OURS, held_before=100, timeout=30.0)
    timer.join()

    assert release.released
    assert json.loads(release.to_tag())["held_bytes"] == 100


def test_memory_that_does_not_come_back_names_who_holds_it(inventory: Any) -> None:
    inventory.holders = {UUID: {11: 100}}

    release = wait_for_release(inventory, UUID, OURS, held_before=100, timeout=0.05)

    assert not release.released
    assert release.holders == (11,)


def test_who_is_listed_holds_memory_also_where_the_driver_does_not_say_how_much(
    inventory: Any,
) -> None:
    inventory.holders = {UUID: {11: 0}}

    release = wait_for_release(inventory, UUID, OURS, held_before=100, timeout=0.05)

    assert not release.released


def test_nothing_is_proven_while_the_driver_does_not_answer(
    inventory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_uuid: str) -> None:
        raise InventoryError("driver error")

    monkeypatch.setattr(inventory, "held", fail)

    release = wait_for_release(inventory, UUID, OURS, held_before=100, timeout=0.05)

    assert not release.released
    assert held_bytes(inventory, UUID, OURS) is None
