"""Proof that a run's GPU memory is back, or the name of what still holds it."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from contracts.home import Home
from contracts.lock_file import lock
from contracts.timestamps import now
from pipelines.registry.devices import Inventory, InventoryError

_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Release:
    """What was held on the device before the kill, and whether it is back.

    `held_bytes` is None where nobody looked in time, as after a crash.
    """

    device: str
    held_bytes: int | None
    released: bool
    milliseconds: int
    verified_at: str
    holders: tuple[int, ...] = ()

    def to_tag(self) -> str:
        return json.dumps(
            {
                "device": self.device,
                "held_bytes": self.held_bytes,
                "released": self.released,
                "verified_at": self.verified_at,
            }
        )


def held_bytes(inventory: Inventory, uuid: str, pids: frozenset[int]) -> int | None:
    """What these processes hold on the device; None where the driver does not answer."""
    try:
        return sum(count for pid, count in inventory.held(uuid).items() if pid in pids)
    except InventoryError:
        return None


def wait_for_release(
    inventory: Inventory,
    uuid: str,
    pids: frozenset[int],
    *,
    held_before: int | None,
    timeout: float,
) -> Release:
    """Looks until the driver lists none of `pids` on the device, for `timeout` s at most."""
    started = time.monotonic()
    while True:
        holders = _holders(inventory, uuid, pids)
        elapsed = time.monotonic() - started
        if not holders or elapsed > timeout:
            return Release(
                device=uuid,
                held_bytes=held_before,
                released=not holders,
                milliseconds=int(elapsed * 1000),
                verified_at=now(),
                holders=tuple(holders),
            )
        time.sleep(_LOOK_SECONDS)


@contextmanager
def out_of_service(home: Home, uuid: str, run_id: str) -> Iterator[None]:
    """Until the block or this process ends, nothing is leased on the device; health says so."""
    path = home.out_of_service(uuid) / f"{run_id}.json"
    file = lock(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


def _holders(inventory: Inventory, uuid: str, pids: frozenset[int]) -> list[int]:
    """Without an answer from the driver nothing is proven: every process may hold memory."""
    try:
        return sorted(pids & inventory.held(uuid).keys())
    except InventoryError:
        return sorted(pids)
