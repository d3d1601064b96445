"""A cache of the GPUs of this machine: asking the driver takes time, and what there is
hardly ever changes.
"""

import time

from api.health.deadline import Deadline, ProbeError
from pipelines.registry.devices import Device, Inventory


class CachedDevices:
    """Asks the driver again once what is known is older than `trust_seconds`."""

    def __init__(
        self, inventory: Inventory, deadline: Deadline, *, trust_seconds: float = 10.0
    ) -> None:
        self._inventory = inventory
        self._deadline = deadline
        self._trust_seconds = trust_seconds
        self._devices: tuple[Device, ...] = ()
        self._asked_at = float("-inf")

    async def current(self) -> tuple[Device, ...]:
        """Empty without a GPU, and where the driver does not answer: health reports that."""
        if time.monotonic() - self._asked_at >= self._trust_seconds:
            try:
                self._devices = await self._deadline.call("devices", self._inventory.devices)
            except ProbeError:
                self._devices = ()
            self._asked_at = time.monotonic()
        return self._devices
