"""Health in the words of existing clients: a pure translation of the parts."""

from collections.abc import Sequence
from enum import StrEnum
from importlib.metadata import version
from importlib.util import find_spec

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from api.health.check import VERSION
from api.health.report import HealthDetails, OrchestratorHealth, StorageHealth, StorageStatus
from contracts.timestamps import Timestamp, now
from pipelines.registry.devices import Device

API_VERSION = "v1"


class SystemStatus(StrEnum):
    HEALTHY = "healthy"
    DEGRADED = "degraded"
    UNHEALTHY = "unhealthy"


class WorkerStatus(StrEnum):
    IDLE = "idle"
    BUSY = "busy"
    OVERLOADED = "overloaded"


class GpuStatus(BaseModel):
    """The first device, its name left out where there is none; memory in bytes."""

    available: bool
    device_name: str | SkipJsonSchema[None] = None
    memory_total: int
    memory_used: int
    memory_free: int


class WorkerInfo(BaseModel):
    active_jobs: int
    queued_jobs: int
    max_concurrent_jobs: int
    worker_status: WorkerStatus


class Workers(BaseModel):
    status: WorkerStatus
    active_jobs: int
    processing_jobs: list[str]
    queued_jobs: int
    max_concurrent_workers: int


class DatabaseDiagnostics(BaseModel):
    status: SystemStatus
    message: str


class StorageDiagnostics(BaseModel):
    status: SystemStatus
    disk_usage_percent: float
    percent_used: float = Field(description="The same as `disk_usage_percent`.")
    message: str


class FfmpegDiagnostics(BaseModel):
    """Media is read by the FFmpeg libraries that come inside PyAV."""

    available: bool
    version: str


_FFMPEG = FfmpegDiagnostics(available=find_spec("av") is not None, version=f"PyAV {version('av')}")


class Diagnostics(BaseModel):
    database: DatabaseDiagnostics
    storage: StorageDiagnostics
    ffmpeg: FfmpegDiagnostics


class Security(BaseModel):
    auth_required: bool


class SystemHealth(BaseModel):
    status: SystemStatus
    version: str
    api_version: str
    timestamp: Timestamp
    uptime_seconds: float
    gpu_status: GpuStatus
    worker_info: WorkerInfo
    workers: Workers
    diagnostics: Diagnostics
    security: Security


def tell(
    parts: HealthDetails,
    devices: Sequence[Device],
    *,
    uptime_seconds: float,
    running_jobs: Sequence[str],
    auth_required: bool,
    with_reasons: bool,
) -> SystemHealth:
    """`with_reasons` lets the parts' own messages in, which may name paths."""
    workers = _workers(parts.orchestrator, running_jobs)
    return SystemHealth(
        status=_status(parts),
        version=VERSION,
        api_version=API_VERSION,
        timestamp=now(),
        uptime_seconds=round(uptime_seconds, 3),
        gpu_status=_gpu(devices),
        worker_info=WorkerInfo(
            active_jobs=workers.active_jobs,
            queued_jobs=workers.queued_jobs,
            max_concurrent_jobs=workers.max_concurrent_workers,
            worker_status=workers.status,
        ),
        workers=workers,
        diagnostics=Diagnostics(
            database=_database(parts, with_reasons=with_reasons),
            storage=_storage(parts.storage, with_reasons=with_reasons),
            ffmpeg=_FFMPEG,
        ),
        security=Security(auth_required=auth_required),
    )


def _status(parts: HealthDetails) -> SystemStatus:
    """Unhealthy where no job can be done, degraded where some cannot."""
    if parts.database.error or parts.storage.error or parts.orchestrator.error:
        return SystemStatus.UNHEALTHY
    if parts.storage.warning or parts.gpu.error or parts.registry.error:
        return SystemStatus.DEGRADED
    return SystemStatus.HEALTHY


def _gpu(devices: Sequence[Device]) -> GpuStatus:
    if not devices:
        return GpuStatus(available=False, memory_total=0, memory_used=0, memory_free=0)
    device = devices[0]
    return GpuStatus(
        available=True,
        device_name=device.name,
        memory_total=device.memory_total,
        memory_used=device.memory_total - device.memory_free,
        memory_free=device.memory_free,
    )


def _workers(orchestrator: OrchestratorHealth, running_jobs: Sequence[str]) -> Workers:
    active, queued = orchestrator.running or 0, orchestrator.queued or 0
    # Without a limit, as many as there are can run; clients read a number.
    limit = orchestrator.run_limit if orchestrator.run_limit is not None else active + queued
    return Workers(
        status=_worker_status(active, queued, limit),
        active_jobs=active,
        processing_jobs=list(running_jobs),
        queued_jobs=queued,
        max_concurrent_workers=limit,
    )


def _worker_status(active: int, queued: int, limit: int) -> WorkerStatus:
    if queued > limit:
        return WorkerStatus.OVERLOADED
    return WorkerStatus.BUSY if active or queued else WorkerStatus.IDLE


def _database(parts: HealthDetails, *, with_reasons: bool) -> DatabaseDiagnostics:
    if not parts.database.error:
        return DatabaseDiagnostics(status=SystemStatus.HEALTHY, message="The database answers.")
    reason = f" {parts.database.error}" if with_reasons else ""
    return DatabaseDiagnostics(
        status=SystemStatus.UNHEALTHY, message=f"The database does not answer.{reason}"
    )


def _storage(storage: StorageHealth, *, with_reasons: bool) -> StorageDiagnostics:
    percent = 100 * (storage.used_gb or 0) / storage.total_gb if storage.total_gb else 0.0
    message = f"{storage.free_gb} GB are free."
    if storage.free_gb is None:
        message = "The disk does not answer."
        message += f" {storage.error}" if with_reasons else ""
    status = {
        StorageStatus.OK: SystemStatus.HEALTHY,
        StorageStatus.WARNING: SystemStatus.DEGRADED,
        StorageStatus.ERROR: SystemStatus.UNHEALTHY,
    }[storage.status]
    used = round(percent, 1)
    return StorageDiagnostics(
        status=status, disk_usage_percent=used, percent_used=used, message=message
    )
