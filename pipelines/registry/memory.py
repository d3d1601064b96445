"""Whether what a config is expected to hold on a GPU fits any of the devices here."""

from collections.abc import Sequence

from pydantic import BaseModel, ValidationError

from pipelines.registry.devices import Device
from pipelines.registry.spec import PipelineCard


def gpu_memory(card: PipelineCard, config: BaseModel) -> int:
    """The card's estimate in bytes; 0 where a third party's estimate itself fails."""
    try:
        return int(card.gpu_memory(config))
    except Exception:  # noqa: BLE001 - an estimate that cannot be made must not refuse a config
        return 0


def can_use_gpu(card: PipelineCard) -> bool:
    """Whether a run with the card's defaults would hold memory on a GPU."""
    try:
        return gpu_memory(card, card.config()) > 0
    except ValidationError:  # a third party's config without defaults
        return False


def fits_no_device(required: int, devices: Sequence[Device]) -> bool:
    """Whether no device could ever hold `required` bytes. A machine without a GPU runs on the
    CPU, so that there everything fits.
    """
    return bool(devices) and required > max(device.memory_total for device in devices)
