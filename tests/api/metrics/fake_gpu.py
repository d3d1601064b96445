"""A GPU in memory."""

from pipelines.registry.devices import Device, Inventory, InventoryError

GPU = Device("GPU-1", "NVIDIA H100", memory_total=80, memory_free=60, utilization=50)


class Gpu(Inventory):
    """One GPU, whose driver can be made to fail."""

    is_broken = False

    def devices(self) -> tuple[Device, ...]:
        if self.is_broken:
            raise InventoryError("the driver is gone")
        return (GPU,)

    def held(self, _uuid: str) -> dict[int, int]:
        return {}
