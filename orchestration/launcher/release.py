"""Proof that a run's GPU memory is back, or the name of what still holds it."""

import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from contracts.home import Home
from pipelines.registry.devices import Inventory, InventoryError

_LOOK_SECONDS = 0.02


@dataclass(frozen=True)
class Release:
    """What was held on the device before the kill, and whether it is back."""

    device: str
    held_bytes: int
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


def held_bytes(inventory: Inventory, uuid: str, pids: frozenset[int]) -> int:
    """What these processes hold on the device; 0 where the driver does not answer."""
    try:
        return sum(count for pid, count in inventory.held(uuid).items() if pid in pids)
    except InventoryError:
        return 0


def wait_for_release(
    inventory: Inventory,
    uuid: str,
    pids: frozenset[int],
    *,
    held_before: int,
    timeout: float,
) -> Release:
    """Looks until none of `pids` holds memory on the device any more, for `timeout` s at most."""
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
                verified_at=datetime.now(UTC).isoformat().replace("+00:00", "Z"),
                holders=tuple(holders),
            )
        time.sleep(_LOOK_SECONDS)


def take_out_of_service(home: Home, uuid: str, run_id: str, pids: tuple[int, ...]) -> None:
    """From now on nothing is leased on the device, and health says so."""
    path = home.out_of_service(uuid)
    path.parent.mkdir(parents=True, exist_ok=True)
    note: Mapping[str, object] = {"run_id": run_id, "pids": list(pids), "by": os.getpid()}
    path.write_text(json.dumps(note))


def put_into_service(home: Home, uuid: str) -> None:
    home.out_of_service(uuid).unlink(missing_ok=True)


def _holders(inventory: Inventory, uuid: str, pids: frozenset[int]) -> list[int]:
    """Without an answer from the driver nothing is proven: every process may hold memory."""
    try:
        held = inventory.held(uuid)
    except InventoryError:
        return sorted(pids)
    return sorted(pid for pid in pids if held.get(pid, 0) > 0)
