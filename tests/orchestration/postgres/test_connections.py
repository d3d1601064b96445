"""Dagster's connections to PostgreSQL: few, none forked along, none waited for without end."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from dagster import AssetKey, DagsterInstance, materialize
from sqlalchemy import text

from contracts.database import RUN_CONNECTIONS, parse_url
from contracts.home import Home
from orchestration.launcher.instances import Instances, open_instance
from orchestration.storage.postgres import shared_engine
from tests.orchestration.postgres.conftest import CONNECTIONS, cuts
from tests.postgresql import Databases

pytestmark = pytest.mark.postgres


def test_however_many_threads_ask_the_connections_stay_few(
    instance: DagsterInstance, postgres: Databases, database_url: str
) -> None:
    most = 0
    with ThreadPoolExecutor(16) as threads:
        asked = [threads.submit(instance.get_runs) for _ in range(400)]
        while not all(answer.done() for answer in asked):
            most = max(most, postgres.connections(database_url))

    assert 0 < most <= CONNECTIONS
    assert [answer.result() for answer in asked] == [[]] * 400


def test_all_instances_of_a_process_share_the_connections(
    home: Home, postgres: Databases, database_url: str
) -> None:
    opened = [open_instance(home.dagster) for _ in range(5)]
    for instance in opened:
        instance.get_runs()

    assert postgres.connections(database_url) == 1


def test_the_webserver_keeps_to_the_limit_and_gives_up_what_takes_too_long(
    instance: DagsterInstance, database_url: str
) -> None:
    instance.optimize_for_webserver(statement_timeout=50, pool_recycle=60, max_overflow=20)
    engine = shared_engine(parse_url(database_url), CONNECTIONS)

    with engine.connect() as connection, pytest.raises(Exception, match="statement timeout"):
        connection.execute(text("SELECT pg_sleep(5)"))
    assert instance.get_runs() == []


def test_nothing_is_connected_while_the_warm_server_forks(
    instances: Instances, postgres: Databases, database_url: str
) -> None:
    assert postgres.connections(database_url) == 0
    assert instances.own.get_runs() == []
    assert instances.worker.get_runs() == []


def test_a_runs_process_has_few_connections_and_they_suffice(
    instances: Instances, postgres: Databases, database_url: str
) -> None:
    assert materialize([cuts], instance=instances.own).success
    assert instances.own.get_latest_materialization_event(AssetKey("cuts")) is not None
    assert postgres.connections(database_url) <= RUN_CONNECTIONS


def test_a_child_uses_connections_of_its_own_and_leaves_its_parents(
    instance: DagsterInstance,
) -> None:
    ours = _backend(instance)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, str(_backend(instance)).encode())
        os._exit(0)
    os.waitpid(child, 0)

    assert int(os.read(reader, 100)) != ours
    assert _backend(instance) == ours


def test_what_is_sent_and_never_acknowledged_is_given_up(database_url: str) -> None:
    """The system would try for a quarter of an hour."""
    engine = shared_engine(parse_url(database_url), CONNECTIONS)
    with engine.connect() as connection:
        number = connection.connection.fileno()  # type: ignore[attr-defined] # psycopg2's
        with socket.socket(fileno=os.dup(number)) as here:
            patience = here.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)

    assert patience == 60_000


def _backend(instance: DagsterInstance) -> int:
    """Which of the server's processes answers."""
    with instance.run_storage.connect() as connection:  # type: ignore[attr-defined]
        return int(connection.scalar(text("SELECT pg_backend_pid()")))
