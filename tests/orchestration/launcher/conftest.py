"""An instance as `dagster.yaml` makes it: with our queue, our launcher and SQLite."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance

from api.stack.layout import lay_out
from contracts.home import Home
from orchestration.dagster_internals.testing import (
    RegisteredCodeLocationOrigin,
    RemoteJobOrigin,
    RemoteRepositoryOrigin,
)
from orchestration.launcher.instances import open_instance


@pytest.fixture
def dagster_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    home = Home(tmp_path.resolve())
    monkeypatch.setenv("FRAMEGATE_HOME", str(home.root))
    monkeypatch.delenv("FRAMEGATE_DATABASE_URL", raising=False)
    lay_out(home)
    return home


@pytest.fixture
def dagster(dagster_home: Home) -> Iterator[DagsterInstance]:
    with open_instance(dagster_home.dagster) as instance:
        yield instance


@pytest.fixture
def origin_of() -> Callable[[str], RemoteJobOrigin]:
    """Where a job is from, without which a run cannot be queued."""
    location = RegisteredCodeLocationOrigin("framegate")
    return lambda job: RemoteJobOrigin(RemoteRepositoryOrigin(location, "all"), job)
