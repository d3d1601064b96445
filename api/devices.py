"""The GPUs of this machine as of a moment ago: asking the driver takes time, and what there is
hardly ever changes.
"""

import time

from anyio import to_thread

from pipelines.registry.devices import Device, Inventory, InventoryError


class KnownDevices:
    """Asks the driver again once what is known is older than `trust_seconds`."""

    def __init__(self, inventory: Inventory, *, trust_seconds: float = 10.0) -> None:
        self._inventory = inventory
        self._trust_seconds = trust_seconds
        self._devices: tuple[Device, ...] = ()
        self._asked_at = float("-inf")

    async def current(self) -> tuple[Device, ...]:
        """Empty without a GPU, and where the driver does not answer: health reports that."""
        if time.monotonic() - self._asked_at >= self._trust_seconds:
            self._asked_at = time.monotonic()  # one asks, the others take what is known
            self._devices = await to_thread.run_sync(self._ask)
        return self._devices

    def _ask(self) -> tuple[Device, ...]:
        try:
            return self._inventory.devices()
        except InventoryError:
            return ()
