"""What orchestration reads from the environment, once per process."""

import os
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from contracts.home import Home
from pipelines.registry.devices import Inventory
from pipelines.registry.spec import load_object

_PROJECT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Environment variables of the form `FRAMEGATE_<NAME>`."""

    model_config = SettingsConfigDict(env_prefix="FRAMEGATE_", extra="ignore")

    home: Path = Field(default=_PROJECT / ".framegate", description="Folder of all state.")
    gpu_slots: int = Field(default=1, ge=1, description="Runs that may share one GPU.")
    cpu_slots: int = Field(
        default_factory=lambda: max(1, len(os.sched_getaffinity(0)) // 2),
        ge=1,
        description="Runs of GPU pipelines at once on a machine without a GPU.",
    )
    inventory: str = Field(
        default="pipelines.registry.devices:NvmlInventory",
        description='"module:class" of what lists devices; tests put a fake here.',
    )

    @property
    def folders(self) -> Home:
        return Home(self.home.resolve())

    def load_inventory(self) -> Inventory:
        inventory: Inventory = load_object(self.inventory)()
        return inventory
