"""What the devices have left for runs that are placed one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from contracts.home import Home
from orchestration.launcher.lease import (
    PROCESSOR,
    DeviceState,
    Wait,
    device_states,
    read_leases,
)
from orchestration.launcher.resource_request import ResourceRequest
from pipelines.registry.devices import Device, Inventory, InventoryError


@dataclass(frozen=True)
class Capacity:
    """`gpus` is why none can be leased where the driver does not answer; `cpu_leased` is the
    number of runs that use the processor in place of a GPU.
    """

    gpus: Sequence[DeviceState] | Wait
    cpu_leased: int
    gpu_slots: int
    cpu_slots: int

    @classmethod
    def now(cls, home: Home, inventory: Inventory, *, gpu_slots: int, cpu_slots: int) -> "Capacity":
        leases = read_leases(home)
        gpus: Sequence[DeviceState] | Wait
        try:
            gpus = device_states(home, inventory, leases)
        except InventoryError as error:
            gpus = Wait(f"The GPU driver does not answer: {error}")
        cpu_leased = len([lease for lease in leases if lease.gpu is None])
        return cls(gpus, cpu_leased, gpu_slots, cpu_slots)

    def place(self, request: ResourceRequest) -> Device | Wait | None:
        """Where the run goes, or what it waits for; None for a run that needs no device.

        A run that asks for the processor gets a slot there, and so does every run of a pipeline
        for GPUs on a machine that has none.
        """
        if not request.takes_slot:
            return None
        if request.memory:
            if isinstance(self.gpus, Wait):
                return self.gpus
            if self.gpus:
                return _choose_gpu(self.gpus, request.memory, self.gpu_slots)
        if self.cpu_leased < self.cpu_slots:
            return PROCESSOR
        return Wait(f"Waiting: {self.cpu_slots} job(s) already use all cores of the processor.")

    def without(self, device: Device | None, request: ResourceRequest) -> "Capacity":
        """What is left once the run has started on the device."""
        if device == PROCESSOR:
            return replace(self, cpu_leased=self.cpu_leased + 1)
        if device is None or isinstance(self.gpus, Wait):
            return self
        return replace(
            self,
            gpus=[
                _promise(state, request.memory) if state.device.uuid == device.uuid else state
                for state in self.gpus
            ],
        )


#: For runs that need no device, so that none has to be asked.
NO_CAPACITY = Capacity((), cpu_leased=0, gpu_slots=0, cpu_slots=0)


def _choose_gpu(states: Sequence[DeviceState], memory: int, slots: int) -> Device | Wait:
    """The one with the most free memory that fits, or why the run has to wait."""
    usable = [state for state in states if state.in_service]
    if not usable:
        return Wait("Waiting: every GPU is out of service until its memory is free again.")
    open_slots = [state for state in usable if state.leased < slots]
    if not open_slots:
        return Wait(f"Waiting: every GPU already runs {slots} job(s).")
    best = max(open_slots, key=lambda state: state.free)
    if best.free < memory:
        return Wait(
            f"Needs about {_gib(memory)} of GPU memory; {_gib(best.free)} are free "
            f"on {best.device.name}."
        )
    return best.device


def _promise(state: DeviceState, memory: int) -> DeviceState:
    return replace(state, free=state.free - memory, leased=state.leased + 1)


def _gib(count: int) -> str:
    return f"{count / 2**30:.1f} GiB"
