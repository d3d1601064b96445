"""A fake of what cannot be had here: a GPU. It has the interface of the real inventory."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from pipelines.registry.devices import Device


@dataclass
class FakeInventory:
    """Devices as told, and who holds how much of them."""

    present: tuple[Device, ...] = ()
    holders: dict[str, dict[int, int]] = field(default_factory=dict)

    def devices(self) -> tuple[Device, ...]:
        return self.present

    def held(self, uuid: str) -> Mapping[int, int]:
        return self.holders.get(uuid, {})


@pytest.fixture
def inventory() -> FakeInventory:
    return FakeInventory()
