"""All parts asked at once, and what follows from it."""

import asyncio
import time
from dataclasses import dataclass, field
from importlib.metadata import version

from api.dagster.client import DagsterClient
from api.database.database import Database
from api.health.database import probe_database
from api.health.deadline import Deadline
from api.health.gpu import probe_gpu
from api.health.orchestrator import probe_orchestrator
from api.health.presets import probe_presets
from api.health.registry import probe_registry
from api.health.report import HealthDetails
from api.health.storage import probe_storage
from contracts.home import Home
from pipelines.registry.catalog import Catalog
from pipelines.registry.devices import Inventory

VERSION = version("framegate")

_RECENT_SECONDS = 2.0


@dataclass
class HealthCheck:
    catalog: Catalog
    database: Database
    dagster: DagsterClient
    home: Home
    inventory: Inventory
    deadline: Deadline
    started_at: float = field(default_factory=time.monotonic)
    _recent: HealthDetails | None = field(default=None, init=False)
    _asked_at: float = field(default=float("-inf"), init=False)
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def parts(self) -> HealthDetails:
        """How each part is now; takes at most the deadline."""
        database, storage, gpu, registry, presets, orchestrator = await asyncio.gather(
            probe_database(self.database, self.dagster, self.deadline),
            probe_storage(self.home.root, self.deadline),
            probe_gpu(self.inventory, self.home, self.deadline),
            probe_registry(self.catalog, self.deadline),
            probe_presets(self.home.presets, self.catalog, self.deadline),
            probe_orchestrator(self.dagster, self.deadline),
        )
        return HealthDetails(
            database=database,
            storage=storage,
            gpu=gpu,
            registry=registry,
            presets=presets,
            orchestrator=orchestrator,
        )

    async def recent_parts(self) -> HealthDetails:
        """How each part was at most two seconds ago: for callers without a key, who must not
        be able to keep every part busy.
        """
        async with self._asking:
            if self._recent is None or time.monotonic() - self._asked_at > _RECENT_SECONDS:
                self._recent = await self.parts()
                self._asked_at = time.monotonic()
            return self._recent

    @property
    def uptime_seconds(self) -> float:
        return time.monotonic() - self.started_at
