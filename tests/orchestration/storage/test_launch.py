"""A launch that is repeated, by whomever and whenever, makes one run."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from dagster import DagsterInstance, DagsterRun, RunsFilter

from api.stack.layout import lay_out
from contracts.home import Home
from contracts.run import IDEMPOTENCY_KEY_TAG, LAUNCH_TAG
from orchestration.launcher.instances import open_instance

CLIENTS = 8


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def instance(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DagsterInstance]:
    url = "" if request.param == "sqlite" else request.getfixturevalue("database_url")
    monkeypatch.setenv("FRAMEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("FRAMEGATE_DATABASE_URL", url)
    lay_out(Home(tmp_path))
    with open_instance(Home(tmp_path).dagster) as instance:
        yield instance


def _run(launch: str) -> DagsterRun:
    return DagsterRun("job", tags={LAUNCH_TAG: launch, IDEMPOTENCY_KEY_TAG: "key"})


def test_one_launch_by_many_at_once_makes_one_run(instance: DagsterInstance) -> None:
    launch = str(uuid4())
    with ThreadPoolExecutor(CLIENTS) as clients:
        made = list(clients.map(instance.add_run, [_run(launch) for _ in range(CLIENTS)]))

    assert {run.run_id for run in made} == {launch}
    [run] = instance.get_runs(RunsFilter(tags={IDEMPOTENCY_KEY_TAG: "key"}))
    assert run.run_id == launch


def test_what_is_made_with_a_launched_runs_tags_is_another_run(instance: DagsterInstance) -> None:
    """The UI's launchpad and Dagster's re-execution copy them."""
    first = instance.add_run(_run(str(uuid4())))
    second = instance.add_run(DagsterRun("job", tags=first.tags))

    assert LAUNCH_TAG not in first.tags
    assert second.run_id != first.run_id


def test_a_launch_has_an_id_that_may_name_a_folder(instance: DagsterInstance) -> None:
    with pytest.raises(ValueError, match="UUID"):
        instance.add_run(_run("../../etc"))
