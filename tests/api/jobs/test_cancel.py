"""Cancelling: in every state, as often as one likes, and the answer is what Dagster says."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.dagster.run import Run, RunStatus
from api.jobs.cancel import Move, decide
from api.settings import Settings
from contracts.run import CANCELLATION_FAILED_TAG, KIND, KIND_TAG, OWNER_TAG, RELEASE_TAG

pytestmark = pytest.mark.anyio

ClientOf = Callable[..., httpx.AsyncClient]


def _path(run: Any) -> str:
    return f"/api/v1/jobs/{run.id}/cancel"


def _run(status: RunStatus, **tags: str) -> Run:
    return Run("id", "job", status, tags, {}, 0.0, None, None, None)


@pytest.mark.parametrize(
    ("status", "move"),
    [
        (RunStatus.QUEUED, Move.TERMINATE),
        (RunStatus.NOT_STARTED, Move.WAIT),
        (RunStatus.STARTING, Move.WAIT),
        (RunStatus.STARTED, Move.TERMINATE),
        (RunStatus.CANCELING, Move.WAIT),
        (RunStatus.CANCELED, Move.ANSWER),
        (RunStatus.SUCCESS, Move.ANSWER),
        (RunStatus.FAILURE, Move.ANSWER),
    ],
)
def test_each_state_calls_for_its_move(status: RunStatus, move: Move) -> None:
    assert decide(_run(status), out_of_time=False) is move


def test_a_terminal_state_wins_over_everything_and_else_time_ends_the_wait() -> None:
    assert decide(_run(RunStatus.CANCELED), out_of_time=True) is Move.ANSWER
    assert decide(_run(RunStatus.CANCELING), out_of_time=True) is Move.GIVE_UP


@pytest.mark.parametrize("status", ["QUEUED", "STARTED"])
async def test_a_job_that_waits_or_runs_is_cancelled_once_however_often_asked(
    admin: httpx.AsyncClient, dagster: Any, status: str
) -> None:
    run = dagster.add(status=status)
    first = await admin.post(_path(run))
    assert first.status_code == 200
    assert first.json()["status"] == "CANCELLED"
    assert first.json()["job_id"] == run.id
    assert first.json()["cancelled_at"].endswith("Z")
    assert "gpu" not in first.json()
    assert (await admin.post(_path(run))).json() == first.json()
    assert dagster.asked == ["terminate SAFE_TERMINATE"]


@pytest.mark.parametrize("status", ["NOT_STARTED", "STARTING"])
async def test_a_job_that_is_just_starting_is_cancelled_as_soon_as_it_may_be(
    admin: httpx.AsyncClient, dagster: Any, status: str
) -> None:
    run = dagster.add(status=status)
    polls: list[str] = []

    def start(polled: Any) -> None:
        polls.append(polled.status)
        if len(polls) == 4:
            polled.status = "STARTED"

    dagster.on_poll = start
    assert (await admin.post(_path(run))).json()["status"] == "CANCELLED"
    assert polls[:3] == [status] * 3


async def test_a_job_that_is_canceling_already_is_waited_for(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    run = dagster.add(status="CANCELING")
    started = time.monotonic()
    dagster.on_poll = lambda polled: (
        polled.end("CANCELED") if time.monotonic() - started > 0.2 else None
    )
    assert (await admin.post(_path(run))).json()["status"] == "CANCELLED"
    assert dagster.asked == []


@pytest.mark.parametrize(("ended", "said"), [("SUCCESS", "COMPLETED"), ("FAILURE", "FAILED")])
async def test_a_job_that_had_ended_is_answered_with_how_it_ended(
    admin: httpx.AsyncClient, dagster: Any, ended: str, said: str
) -> None:
    run = dagster.add()
    run.end(ended)
    response = await admin.post(_path(run))
    assert response.status_code == 200
    assert response.json()["status"] == said
    assert response.json().get("cancelled_at") is None
    strict = await admin.post(_path(run), params={"strict": "true"})
    assert strict.status_code == 409
    assert strict.json()["error"]["code"] == "JOB_ALREADY_COMPLETED"


async def test_completion_that_wins_the_race_is_told(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    run = dagster.add(status="STARTED")
    dagster.on_terminate = lambda raced: raced.end("SUCCESS")
    assert (await admin.post(_path(run))).json()["status"] == "COMPLETED"


async def test_strict_does_not_mind_a_job_that_was_cancelled_before(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    run = dagster.add()
    await admin.post(_path(run))
    assert (await admin.post(_path(run), params={"strict": "true"})).status_code == 200


async def test_the_reason_is_kept_where_the_supervisor_finds_it_and_the_first_one_counts(
    admin: httpx.AsyncClient, dagster: Any, settings: Settings
) -> None:
    run = dagster.add(status="STARTED")
    dagster.on_terminate = lambda _run: None
    asked = []
    for reason in ("wrong video", "second thoughts"):
        asked.append(asyncio.create_task(admin.post(_path(run), json={"reason": reason})))
        await asyncio.sleep(0.2)
    run.end("CANCELED")
    assert [(await one).status_code for one in asked] == [200, 200]
    note = json.loads(settings.paths.cancellation(run.id).read_text())
    assert [path.name for path in settings.paths.job(run.id).iterdir()] == ["cancellation.json"]
    assert note["by"] == "admin"
    assert note["reason"] == "wrong video"
    assert note["requested_at"].endswith("Z")


async def test_what_the_supervisor_saw_of_the_gpu_is_told(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    run = dagster.add(status="STARTED")
    seen = {
        "device": "GPU-1",
        "held_bytes": 12,
        "released": True,
        "verified_at": "2030-01-01T00:00:00.000Z",
    }
    run.tags[RELEASE_TAG] = json.dumps(seen | {"milliseconds": 12})
    assert (await admin.post(_path(run))).json()["gpu"] == seen


async def test_processes_that_cannot_be_killed_are_named_and_never_called_cancelled(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    run = dagster.add(status="STARTED")
    known = {"pids": [4711], "signal": "SIGKILL", "host": "here"}

    def get_stuck(stuck: Any) -> None:
        stuck.status = "CANCELING"
        stuck.tags[CANCELLATION_FAILED_TAG] = json.dumps(known)

    dagster.on_terminate = get_stuck
    response = await admin.post(_path(run))
    assert response.status_code == 500
    error = response.json()["error"]
    assert error["code"] == "CANCELLATION_FAILED"
    assert error["detail"].items() >= known.items()


async def test_a_job_that_does_not_stop_in_time_is_not_called_cancelled(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    run = dagster.add(status="STARTED")

    def linger(stuck: Any) -> None:
        stuck.status = "CANCELING"

    dagster.on_terminate = linger
    response = await admin.post(_path(run))
    assert response.status_code == 500
    assert response.json()["error"]["detail"]["run_status"] == "CANCELING"
    run.end("CANCELED")
    assert (await admin.post(_path(run))).json()["status"] == "CANCELLED"


async def test_a_hundred_jobs_are_cancelled_at_once(admin: httpx.AsyncClient, dagster: Any) -> None:
    runs = [dagster.add(status="STARTED") for _ in range(100)]
    answers = await asyncio.gather(*(admin.post(_path(run)) for run in runs))
    assert {answer.json()["status"] for answer in answers} == {"CANCELLED"}
    assert {run.status for run in runs} == {"CANCELED"}


async def test_an_annotator_cancels_its_own_jobs_and_no_others(
    client_of: ClientOf, dagster: Any
) -> None:
    alice = client_of("annotator", "alice")
    own, others, nobodys = (
        dagster.add(tags={KIND_TAG: KIND} | ({OWNER_TAG: owner} if owner else {}))
        for owner in ("alice", "bob", None)
    )
    assert (await alice.post(_path(own))).status_code == 200
    for run in (others, nobodys):
        response = await alice.post(_path(run))
        assert response.status_code == 403
        assert response.json()["error"]["code"] == "FORBIDDEN"
        assert run.status == "QUEUED"
    assert (await client_of("admin").post(_path(others))).status_code == 200


async def test_a_run_that_is_no_job_of_ours_is_not_there(
    admin: httpx.AsyncClient, dagster: Any
) -> None:
    run = dagster.add(tags={})
    assert (await admin.post(_path(run))).status_code == 404
    assert run.status == "QUEUED"


@pytest.mark.parametrize("body", ['{"reason": 1}', '{"other": "x"}', "[]", "{", '"x"'])
async def test_a_body_that_is_no_reason_cancels_nothing(
    admin: httpx.AsyncClient, dagster: Any, body: str
) -> None:
    run = dagster.add()
    response = await admin.post(
        _path(run), content=body, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    assert run.status == "QUEUED"
