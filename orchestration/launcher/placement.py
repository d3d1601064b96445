"""On which device a run would go now."""

from contracts.home import Home
from orchestration.launcher.lease import Wait, choose_device, device_states
from orchestration.launcher.need import Need
from pipelines.registry.devices import Device, Inventory, InventoryError


def place(home: Home, inventory: Inventory, need: Need, slots: int) -> Device | Wait | None:
    """None where no device is needed, or none is here and the run uses the processor."""
    if need.memory == 0:
        return None
    try:
        states = device_states(home, inventory)
    except InventoryError as error:
        return Wait(f"The GPU driver does not answer: {error}")
    return choose_device(states, need.memory, slots) if states else None
