"""What the health answers say, part by part."""

from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from contracts.timestamps import Timestamp


class PartStatus(StrEnum):
    OK = "ok"
    ERROR = "error"


class StorageStatus(StrEnum):
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


class DatabaseHealth(BaseModel):
    status: PartStatus
    schema_version: str | None
    jobs_count: int | None = Field(description="Null where Dagster, which keeps them, is silent.")
    error: str | None


class StorageHealth(BaseModel):
    """`ok` above 5 GB free, `warning` from 1 to 5, `error` below 1."""

    status: StorageStatus
    free_gb: float | None
    used_gb: float | None
    total_gb: float | None
    warning: str | None
    error: str | None


class DeviceHealth(BaseModel):
    name: str
    memory_total_gb: float
    memory_free_gb: float
    uuid: str
    utilization: int | None = Field(description="In percent; null where it is not known.")
    in_service: bool = Field(description="Whether runs are given this device.")


class GpuHealth(BaseModel):
    """A machine without a GPU is healthy; a driver that fails is not."""

    available: bool
    device_count: int
    devices: list[DeviceHealth]
    error: str | None


class RegistryHealth(BaseModel):
    status: PartStatus
    pipelines_loaded: int
    pipeline_names: list[str]
    error: str | None = Field(description="Names each entry that cannot be loaded.")


class PresetsStatus(StrEnum):
    OK = "ok"
    WARNING = "warning"


class PresetProblemReport(BaseModel):
    file: str
    field: str | None = Field(description="A dotted path; null where it is the file as a whole.")
    message: str
    hint: str | None


class PresetsHealth(BaseModel):
    """A preset that cannot be used is a warning: everything else goes on without it."""

    status: PresetsStatus
    presets_loaded: int
    preset_names: list[str]
    warning: str | None
    problems: list[PresetProblemReport] = Field(description="At most 100.")


class DaemonHealth(BaseModel):
    name: str
    healthy: bool
    last_heartbeat: Timestamp | None
    error: str | None


class OrchestratorHealth(BaseModel):
    status: PartStatus
    version: str | None = Field(description="The webserver's.")
    daemons: list[DaemonHealth]
    queued: int | None
    running: int | None
    run_limit: int | None = Field(description="How many runs may run at once; null for no limit.")
    error: str | None


class HealthDetails(BaseModel):
    database: DatabaseHealth
    storage: StorageHealth
    gpu: GpuHealth
    registry: RegistryHealth
    presets: PresetsHealth
    orchestrator: OrchestratorHealth

    @property
    def is_healthy(self) -> bool:
        errors = (
            self.database.error,
            self.storage.error,
            self.gpu.error,
            self.registry.error,
            self.orchestrator.error,
        )
        return not any(errors)


class Health(BaseModel):
    status: Literal["ok", "unhealthy"]
    version: str
    timestamp: Timestamp
    details: HealthDetails | SkipJsonSchema[None] = None
