"""The disk that media and results lie on."""

import os
import shutil
from pathlib import Path

from api.health.deadline import Deadline, ProbeError
from api.health.report import StorageHealth, StorageStatus
from api.units import GIGABYTE

_WARNING_BELOW = 5 * GIGABYTE
_ERROR_BELOW = 1 * GIGABYTE


async def probe_storage(root: Path, deadline: Deadline) -> StorageHealth:
    try:
        total, used, free = await deadline.call("storage", lambda: _measure(root))
    except ProbeError as error:
        return StorageHealth(
            status=StorageStatus.ERROR,
            free_gb=None,
            used_gb=None,
            total_gb=None,
            warning=None,
            error=str(error),
        )
    return judge(total, used, free)


def judge(total: int, used: int, free: int) -> StorageHealth:
    """Bytes in, gigabytes and a status out."""
    left = f"Only {free / GIGABYTE:.1f} GB of disk space are left"
    status = StorageStatus.OK
    if free < _ERROR_BELOW:
        status = StorageStatus.ERROR
    elif free <= _WARNING_BELOW:
        status = StorageStatus.WARNING
    return StorageHealth(
        status=status,
        free_gb=round(free / GIGABYTE, 2),
        used_gb=round(used / GIGABYTE, 2),
        total_gb=round(total / GIGABYTE, 2),
        warning=left if status is StorageStatus.WARNING else None,
        error=left if status is StorageStatus.ERROR else None,
    )


def _measure(root: Path) -> tuple[int, int, int]:
    if not os.access(root, os.W_OK):
        raise OSError(f"{root} cannot be written to")
    usage = shutil.disk_usage(root)
    return usage.total, usage.used, usage.free
