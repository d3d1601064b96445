"""What the client asks of Dagster, and what it reads in the answers."""

from typing import Any

import pytest

from api.dagster.client import DagsterClient
from api.dagster.run import RunFilter, RunStatus, StepStatus
from contracts.run import KIND, KIND_TAG

pytestmark = pytest.mark.anyio


async def test_a_run_is_read_with_its_steps(client: DagsterClient, dagster: Any) -> None:
    added = dagster.add(
        status="STARTED",
        config={"ops": {}},
        steps=[{"stepKey": "probe", "status": "SUCCESS", "startTime": 1.0, "endTime": 2.0}],
        started_at=1.0,
    )
    run = await client.run(added.id)
    assert (run.run_id, run.status, run.config) == (added.id, RunStatus.STARTED, {"ops": {}})
    assert run.steps[0].status is StepStatus.SUCCESS
    assert (await client.run_state(added.id)).steps == ()


async def test_pages_are_counted_on_demand_and_lead_on_by_cursor(
    client: DagsterClient, dagster: Any
) -> None:
    ids = [dagster.add().id for _ in range(5)][::-1]
    dagster.add(tags={})
    ours = RunFilter(tags={KIND_TAG: KIND})
    first = await client.runs(ours, limit=3, counted=ours)
    assert [run.run_id for run in first.runs] == ids[:3]
    assert first.total == 5
    rest = await client.runs(ours, limit=3, cursor=first.cursor)
    assert [run.run_id for run in rest.runs] == ids[3:]
    assert (rest.total, rest.cursor) == (None, None)
    assert await client.run_ids(ours, limit=2, cursor=ids[1]) == ids[2:4]


async def test_the_queue_is_in_the_order_in_which_it_is_left(
    client: DagsterClient, dagster: Any
) -> None:
    def add(created_at: float, priority: str | None = None) -> str:
        tags = {KIND_TAG: KIND} | ({"dagster/priority": priority} if priority else {})
        return str(dagster.add(created_at=created_at, tags=tags).id)

    old, new, odd = add(1.0), add(4.0), add(3.0, "soon")
    urgent, late = add(5.0, "2"), add(2.0, "-1")
    dagster.add(status="STARTED")
    assert [run.run_id for run in await client.queue()] == [urgent, old, odd, new, late]


async def test_a_termination_is_always_the_safe_one(client: DagsterClient, dagster: Any) -> None:
    run = dagster.add(status="STARTING")
    assert await client.terminate(run.id) is False
    run.status = "STARTED"
    assert await client.terminate(run.id) is True
    assert dagster.asked == ["terminate SAFE_TERMINATE"] * 2


async def test_the_instance_is_described(client: DagsterClient, dagster: Any) -> None:
    dagster.add(status="QUEUED")
    dagster.add(status="STARTED")
    state = await client.instance()
    assert state.version
    assert [daemon.kind for daemon in state.daemons] == ["QUEUED_RUN_COORDINATOR"]
    assert (state.queued, state.running) == (1, 1)
