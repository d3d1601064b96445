"""The disk of the database's server is full: what there is to tell of a run is told later."""

import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dagster import AssetKey, AssetMaterialization, DagsterInstance, DagsterRun
from sqlalchemy.exc import OperationalError

from api.stack.layout import lay_out
from contracts.home import Home
from orchestration.launcher.instances import open_instance
from tests.disk import filled, mounted
from tests.postgresql import PostgresServer

pytestmark = pytest.mark.postgres

#: More than what is free in the pages that a table has.
EVENTS = 30
LONG = "x" * 1500


@pytest.fixture(scope="module")
def disk() -> Iterator[Path]:
    """A disk of 256 MiB that every user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="framegate-disk-"))
    folder.chmod(0o755)
    try:
        with mounted("-t", "tmpfs", "-o", "size=256m", "framegate-test", at=folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def url(disk: Path) -> Iterator[str]:
    """Of a database on that disk."""
    server = PostgresServer(disk / "server")
    try:
        server.initialise()
        server.start()
        yield server.databases.create()
    finally:
        server.stop()


@pytest.fixture
def instance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> Iterator[DagsterInstance]:
    monkeypatch.setenv("FRAMEGATE_HOME", str(tmp_path))
    monkeypatch.setenv("FRAMEGATE_DATABASE_URL", url)
    lay_out(Home(tmp_path))
    with open_instance(Home(tmp_path).dagster) as instance:
        yield instance


def _tell(instance: DagsterInstance, run: DagsterRun) -> None:
    for number in range(EVENTS):
        instance.report_engine_event(f"{number} {LONG}", run)


def test_events_wait_for_room_and_are_stored_once(instance: DagsterInstance, disk: Path) -> None:
    run = instance.add_run(DagsterRun("job"))
    with ThreadPoolExecutor() as threads:
        with filled(disk):
            told = threads.submit(_tell, instance, run)
            time.sleep(2.0)
            assert not told.done()
        told.result()

    numbers = [log.message.split()[0] for log in instance.all_logs(run.run_id)]
    assert numbers == [str(number) for number in range(EVENTS)]


def test_annotations_wait_for_room_and_are_in_the_catalog_once(
    instance: DagsterInstance, disk: Path
) -> None:
    """Such an event has rows in other tables, which follow it in a transaction."""
    made = [AssetMaterialization("cuts", f"{number} {LONG}") for number in range(EVENTS)]
    with ThreadPoolExecutor() as threads:
        with filled(disk):
            told = threads.submit(lambda: [*map(instance.report_runless_asset_event, made)])
            time.sleep(2.0)
            assert not told.done()
        told.result()

    records = instance.fetch_materializations(AssetKey("cuts"), limit=2 * EVENTS).records
    assert len(records) == EVENTS
    assert instance.get_latest_materialization_event(AssetKey("cuts")) == records[0].event_log_entry


def test_the_webserver_says_so(instance: DagsterInstance, disk: Path) -> None:
    """Whoever asks it waits for an answer."""
    instance.optimize_for_webserver(statement_timeout=60_000, pool_recycle=60, max_overflow=20)
    run = instance.add_run(DagsterRun("job"))
    with filled(disk), pytest.raises(OperationalError, match="No space left on device"):
        _tell(instance, run)
