"""The app on a machine with a GPU, and what `/metrics` says of it."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.app import create_services
from api.dagster.transport import GraphqlTransport
from api.dependencies import Services
from api.settings import Settings
from tests.api.metrics.fake_gpu import Gpu
from tests.api.metrics.samples import Samples, samples


@pytest.fixture
def gpu() -> Gpu:
    return Gpu()


@pytest.fixture
def services(settings: Settings, dagster: Any, gpu: Gpu) -> Services:
    """On a machine with a GPU."""
    transport = GraphqlTransport(
        "http://dagster", timeout=2.0, transport=httpx.MockTransport(dagster.handle)
    )
    return create_services(settings, transport=transport, inventory=gpu)


@pytest.fixture
def read(services: Services, admin: httpx.AsyncClient) -> Callable[[], Any]:
    """Scrapes, as if the last scrape had been long ago, and once more when all that has ended is
    counted, however busy the machine is; gives every sample.
    """

    async def scrape() -> Samples:
        services.metrics._looked_at = float("-inf")
        await admin.get("/metrics")
        await services.metrics._counting
        answer = await admin.get("/metrics")
        assert answer.status_code == 200
        return samples(answer.text)

    return scrape
