"""Leaving the queue, by starting or by being cancelled."""

import os
import threading
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from dagster import DagsterEvent, DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus

from contracts.home import Home
from contracts.run import POOL, WAITING_TAG
from orchestration.dagster_internals.testing import RunOpConcurrency
from orchestration.launcher import queue
from orchestration.launcher.daemon import forget_pool_limit
from orchestration.launcher.lease import PROCESSOR, Lease, acquire
from orchestration.launcher.queue import PromptQueueDaemon
from orchestration.launcher.queue_locks import locked_queue
from orchestration.settings import Settings
from pipelines.registry.catalog import Catalog, load_catalog

SECONDS = 60.0
#: Uses a GPU where there is one; the other one never does.
HEAVY, LIGHT = "scene_detection", "speech_activity"


@pytest.fixture
def daemon(dagster_home: Home, inventory: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """On a machine without a GPU, with one slot on the processor."""
    daemon = PromptQueueDaemon(Settings(home=dagster_home.root, cpu_slots=1), 5.0)
    monkeypatch.setattr(daemon, "_inventory", inventory)
    return daemon


@pytest.fixture
def add(dagster: DagsterInstance, origin_of: Callable[[str], Any]) -> Callable[..., DagsterRun]:
    def add(pipeline: str, **attributes: Any) -> DagsterRun:
        return dagster.add_run(
            DagsterRun(
                pipeline,
                status=DagsterRunStatus.QUEUED,
                remote_job_origin=origin_of(pipeline),
                **attributes,
            )
        )

    return add


def _starting(daemon: Any, dagster: DagsterInstance) -> list[str]:
    """Which runs would be launched now; the others are told why not."""
    runs = daemon._get_runs_to_dequeue(dagster, dagster.get_concurrency_config(), None)
    daemon._tell(dagster)
    return [run.run_id for run in runs]


def _found(dagster: DagsterInstance, run: DagsterRun) -> DagsterRun:
    found = dagster.get_run_by_id(run.run_id)
    assert found
    return found


def test_runs_of_gpu_pipelines_take_turns_on_the_processor_and_others_pass_them(
    daemon: Any, dagster: DagsterInstance, add: Callable[..., DagsterRun]
) -> None:
    first, second, light = add(HEAVY), add(HEAVY), add(LIGHT)

    assert _starting(daemon, dagster) == [first.run_id, light.run_id]
    assert "already use all cores" in _found(dagster, second).tags[WAITING_TAG]


def test_a_lease_that_a_run_holds_makes_the_next_one_wait(
    daemon: Any, dagster: DagsterInstance, dagster_home: Home, add: Callable[..., DagsterRun]
) -> None:
    held = acquire(dagster_home, Lease("running", PROCESSOR.uuid, 0, 1))
    waiting = add(HEAVY)

    assert _starting(daemon, dagster) == []

    os.close(held)
    assert _starting(daemon, dagster) == [waiting.run_id]


def test_a_higher_priority_goes_first(
    daemon: Any, dagster: DagsterInstance, add: Callable[..., DagsterRun]
) -> None:
    low, high = add(LIGHT), add(LIGHT, tags={"dagster/priority": "5"})

    assert _starting(daemon, dagster) == [high.run_id, low.run_id]


def test_where_as_many_runs_go_as_may_the_next_one_is_told_so(
    daemon: Any, dagster: DagsterInstance, add: Callable[..., DagsterRun]
) -> None:
    for _ in range(8):
        dagster.add_run(DagsterRun(LIGHT, status=DagsterRunStatus.STARTED))
    waiting = add(LIGHT)

    assert _starting(daemon, dagster) == []
    assert _found(dagster, waiting).tags[WAITING_TAG] == "Waiting: 8 of 8 jobs are running."


def test_a_pools_limit_that_somebody_set_in_dagster_counts_and_is_told(
    daemon: Any, dagster: DagsterInstance, add: Callable[..., DagsterRun]
) -> None:
    dagster.event_log_storage.set_concurrency_slots(POOL, 1)
    pools = RunOpConcurrency(
        all_pools={POOL}, root_key_counts={}, has_unconstrained_root_nodes=True
    )
    first, second = (add(LIGHT, run_op_concurrency=pools) for _ in range(2))

    assert _starting(daemon, dagster) == [first.run_id]
    assert "pool" in _found(dagster, second).tags[WAITING_TAG]


def test_the_limit_that_an_earlier_version_set_is_forgotten_once(dagster: DagsterInstance) -> None:
    storage = dagster.event_log_storage
    storage.set_concurrency_slots(POOL, 1)

    forget_pool_limit(dagster)
    assert storage.get_pool_limits() == []

    storage.set_concurrency_slots(POOL, 3)
    forget_pool_limit(dagster)
    assert [pool.limit for pool in storage.get_pool_limits()] == [3]


def test_an_estimate_that_fails_stops_nobody(
    daemon: Any,
    dagster: DagsterInstance,
    add: Callable[..., DagsterRun],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It may be a third party's."""

    def fail(_config: Any) -> int:
        raise ZeroDivisionError

    cards = dict(load_catalog().cards)
    cards[LIGHT] = replace(cards[LIGHT], gpu_memory=fail)
    monkeypatch.setattr(queue, "load_catalog", lambda: Catalog(MappingProxyType(cards)))
    run, other = add(LIGHT), add(HEAVY)

    assert _starting(daemon, dagster) == [run.run_id, other.run_id]


def _started(dagster: DagsterInstance, run: DagsterRun) -> None:
    event = DagsterEvent(DagsterEventType.PIPELINE_START.value, run.job_name)
    dagster.report_dagster_event(event, run_id=run.run_id)


def test_cancelling_a_run_that_has_started_does_not_wait_for_launches(
    dagster: DagsterInstance, dagster_home: Home, add: Callable[..., DagsterRun]
) -> None:
    run = add(LIGHT)
    _started(dagster, run)
    answers: list[bool] = []

    with locked_queue(dagster_home):
        cancel = threading.Thread(
            target=lambda: answers.append(dagster.run_coordinator.cancel_run(run.run_id))
        )
        cancel.start()
        cancel.join(SECONDS)
        assert answers == [False]  # it has no supervisor here


def test_a_run_that_starts_while_it_is_being_cancelled_is_not_cancelled_as_if_it_waited(
    dagster: DagsterInstance, dagster_home: Home, add: Callable[..., DagsterRun]
) -> None:
    run = add(LIGHT)

    with locked_queue(dagster_home):
        cancel = threading.Thread(target=dagster.run_coordinator.cancel_run, args=[run.run_id])
        cancel.start()
        cancel.join(0.2)
        assert cancel.is_alive()
        _started(dagster, run)
    cancel.join(SECONDS)

    assert _found(dagster, run).status is DagsterRunStatus.STARTED
