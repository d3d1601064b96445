"""The real stack on PostgreSQL: one setting, and everything is kept there."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, inspect
from sqlalchemy.pool import NullPool

from api.stack.events import StackReady
from tests.conftest import RunningStack
from tests.postgresql import Databases

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def url(postgres: Databases) -> Iterator[str]:
    with postgres.fresh() as url:
        yield url


@pytest.fixture(scope="module")
def stack_and_key(
    running_stack: RunningStack, url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[StackReady, str]]:
    home = tmp_path_factory.mktemp("postgres") / "home"
    with running_stack(home, FRAMEGATE_DATABASE_URL=url) as stack_and_key:
        yield stack_and_key


@pytest.fixture(scope="module")
def client(stack_and_key: tuple[StackReady, str]) -> Iterator[httpx.Client]:
    stack, key = stack_and_key
    with httpx.Client(
        base_url=stack.url, headers={"X-API-Key": key}, timeout=60.0, trust_env=False
    ) as client:
        yield client


def test_both_schemas_are_in_the_one_database_and_no_file_is(
    stack_and_key: tuple[StackReady, str], url: str
) -> None:
    engine = create_engine(url, poolclass=NullPool)
    dagsters = set(inspect(engine).get_table_names("public"))
    adapters = set(inspect(engine).get_table_names("framegate"))

    assert {"runs", "event_logs", "jobs", "alembic_version"} <= dagsters
    assert adapters == {"api_keys", "idempotency_records", "alembic_version"}
    assert list(Path(stack_and_key[0].home).rglob("*.db")) == []
