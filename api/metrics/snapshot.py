"""How things are at a moment: taken at a scrape, each part within the deadline."""

import asyncio
import shutil
import time
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import TypeVar

from api.dagster.observer import Activity, Observer
from api.database.database import Database
from api.health.deadline import Deadline, ProbeError
from api.health.orchestrator import judge
from api.health.report import DaemonHealth
from contracts.home import Home
from contracts.lock_file import locked_files
from contracts.run import ANNOTATE_JOB, MAINTENANCE_JOBS
from pipelines.registry.catalog import Catalog
from pipelines.registry.devices import Device, Inventory
from pipelines.registry.presets import preset_files

#: More presets than anybody has; each is a question to Dagster.
_MOST_PRESETS = 50

Part = TypeVar("Part")


@dataclass(frozen=True)
class Disk:
    """Bytes."""

    size: int
    free: int


@dataclass(frozen=True)
class Snapshot:
    """A part is None where it did not answer. `oldest_wait` is in seconds, 0 for an empty queue."""

    activity: Activity | None
    daemons: tuple[DaemonHealth, ...]
    oldest_wait: float
    devices: tuple[Device, ...] | None
    out_of_service: frozenset[str]
    disk: Disk | None
    is_database_up: bool


class SnapshotCollector:
    """Takes snapshots."""

    def __init__(
        self,
        *,
        observer: Observer,
        catalog: Catalog,
        inventory: Inventory,
        database: Database,
        home: Home,
        deadline: Deadline,
    ) -> None:
        self._observer = observer
        self._catalog = catalog
        self._inventory = inventory
        self._database = database
        self._home = home
        self._deadline = deadline
        self._oldest: tuple[str, float] | None = None

    async def take(self) -> Snapshot:
        deadline = self._deadline
        looked, devices, disk, version = await asyncio.gather(
            _known(deadline.wait(self._look())),
            _known(deadline.call("devices", self._inventory.devices)),
            _known(deadline.call("disk", self._measure_disk)),
            _known(deadline.call("database", self._database.schema_version)),
        )
        activity, oldest_wait = looked or (None, 0.0)
        return Snapshot(
            activity=activity,
            daemons=tuple(judge(activity.instance, time.time()).daemons) if activity else (),
            oldest_wait=oldest_wait,
            devices=devices,
            out_of_service=frozenset(
                device.uuid
                for device in devices or ()
                if locked_files(self._home.out_of_service(device.uuid))
            ),
            disk=disk,
            is_database_up=version is not None,
        )

    async def _look(self) -> tuple[Activity, float]:
        presets = [path.stem for path in preset_files(self._home.presets)[:_MOST_PRESETS]]
        names = dict.fromkeys([*self._catalog.names, ANNOTATE_JOB, *presets, *MAINTENANCE_JOBS])
        activity = await self._observer.activity(list(names))
        return activity, await self._oldest_wait(activity)

    async def _oldest_wait(self, activity: Activity) -> float:
        """The oldest mostly is the one that it was at the last look."""
        if not activity.queued:
            return 0.0
        oldest = activity.queued[-1]
        if self._oldest is None or self._oldest[0] != oldest:
            since = await self._observer.queued_since(oldest)
            if since is None:
                return 0.0
            self._oldest = (oldest, since)
        return max(0.0, time.time() - self._oldest[1])

    def _measure_disk(self) -> Disk:
        usage = shutil.disk_usage(self._home.root)
        return Disk(usage.total, usage.free)


async def _known(answer: Awaitable[Part]) -> Part | None:
    try:
        return await answer
    except ProbeError:
        return None
