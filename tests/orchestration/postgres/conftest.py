"""A home whose database is PostgreSQL, and its Dagster instances."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, asset

from api.stack.layout import lay_out
from contracts.home import Home
from orchestration.launcher.instances import Instances, open_instance, open_instances

CONNECTIONS = 4


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_url: str) -> Home:
    """Of a stack whose database is PostgreSQL."""
    monkeypatch.setenv("FRAMEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("FRAMEGATE_DATABASE_URL", database_url)
    monkeypatch.setenv("FRAMEGATE_DATABASE_CONNECTIONS", str(CONNECTIONS))
    home = Home(tmp_path)
    lay_out(home)
    return home


@pytest.fixture
def instance(home: Home) -> Iterator[DagsterInstance]:
    with open_instance(home.dagster) as instance:
        yield instance


@pytest.fixture
def instances(home: Home) -> Iterator[Instances]:
    """As the fork server opens them, before it forks."""
    instances = open_instances(home.dagster)
    with instances.own, instances.worker:
        yield instances


@asset
def cuts() -> None:
    """Nothing but its events."""
