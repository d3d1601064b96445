"""All metrics of this process, and what a scrape does: look, then tell."""

import asyncio
import logging
import platform
import time
from importlib.metadata import version

from anyio import to_thread
from prometheus_client import (
    CollectorRegistry,
    GCCollector,
    Info,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.openmetrics import exposition as openmetrics

from api.errors import FramegateError
from api.jobs.description import describe, read_files
from api.metrics.cancellations import CancellationMetrics
from api.metrics.endings import Endings
from api.metrics.gauges import Gauges
from api.metrics.jobs import JobMetrics
from api.metrics.requests import RequestMetrics
from api.metrics.snapshot import SnapshotCollector
from contracts.home import Home

log = logging.getLogger("framegate.metrics")

#: However many scrape, and however often, this is how often anybody is asked.
_TRUST_SECONDS = 4.0
#: A look at what has ended goes on after that; the next scrape tells the rest.
_PATIENCE_SECONDS = 2.0


class Metrics:
    """`requests` and `cancellations` are told what happens; everything else is looked up."""

    def __init__(self, camera: SnapshotCollector, endings: Endings, home: Home) -> None:
        self.registry = CollectorRegistry()
        self.requests = RequestMetrics(self.registry)
        self.cancellations = CancellationMetrics(self.registry)
        self._jobs = JobMetrics(self.registry)
        self._gauges = Gauges()
        self._camera = camera
        self._endings = endings
        self._home = home
        self._looking = asyncio.Lock()
        self._looked_at = float("-inf")
        self._counting: asyncio.Task[None] | None = None
        self.registry.register(self._gauges)
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        Info("framegate_build", "What is running.", registry=self.registry).info(
            {
                "version": version("framegate"),
                "dagster": version("dagster"),
                "python": platform.python_version(),
            }
        )

    async def scrape(self, accept: str) -> tuple[bytes, str]:
        """The text, and its content type: OpenMetrics where `accept` names it."""
        async with self._looking:
            if time.monotonic() - self._looked_at > _TRUST_SECONDS:
                await self._look()
                self._looked_at = time.monotonic()
        if "application/openmetrics-text" in accept:
            text = await to_thread.run_sync(openmetrics.generate_latest, self.registry)
            return text, openmetrics.CONTENT_TYPE_LATEST
        return await to_thread.run_sync(generate_latest, self.registry), CONTENT_TYPE_PLAIN_0_0_4

    async def close(self) -> None:
        if self._counting is not None:
            self._counting.cancel()
            await asyncio.wait([self._counting])

    async def _look(self) -> None:
        if self._counting is None or self._counting.done():
            self._counting = asyncio.create_task(self._count_endings())
        self._gauges.snapshot, _ = await asyncio.gather(
            self._camera.take(), asyncio.wait([self._counting], timeout=_PATIENCE_SECONDS)
        )

    async def _count_endings(self) -> None:
        """Whatever fails now, the next look tells."""
        try:
            async for ended in self._endings.look():
                files = await to_thread.run_sync(read_files, self._home, ended.run)
                self._jobs.observe(ended, describe(ended.run, files, url=""), files)
        except FramegateError as error:
            log.warning("ended runs cannot be polled: %s", error)
        except Exception:
            log.exception("polling ended runs failed")
