"""The client of a Dagster in memory."""

import pytest

from api.dagster.client import DagsterClient
from api.dependencies import Services


@pytest.fixture
def client(services: Services) -> DagsterClient:
    return services.dagster
