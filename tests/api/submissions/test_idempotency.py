"""Equal keys make one run, whatever happens in between."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.auth.roles import Principal, Role
from api.database.database import IdempotencyRecord
from api.dependencies import Services
from api.errors import (
    IdempotencyInFlightError,
    IdempotencyMismatchError,
    InvalidRequestError,
    OrchestratorSilentError,
)
from api.media.store import StoredMedia
from api.submissions.idempotency import IdempotencyRecords, check_key, fingerprint
from api.submissions.plan import LaunchResult, Plan, launch
from contracts.run import MediaFacts

pytestmark = pytest.mark.anyio

ALICE, BOB = Principal("alice", Role.ANNOTATOR), Principal("bob", Role.ANNOTATOR)
MEDIA = StoredMedia("a" * 64, "a" * 64, MediaFacts("a.mp4", 1, 1.0))
PLAN = Plan(("speech_activity",), {}, {}, 0)


class Crash(BaseException):
    """The process is killed here."""


@pytest.fixture
def ready(services: Services) -> Services:
    services.database.migrate()
    return services


@pytest.fixture
def impatient(ready: Services) -> Services:
    """A claim counts as cut off at once."""
    return replace(ready, idempotency=IdempotencyRecords(ready.database, stale_after=0.0))


async def _launch(
    services: Services, key: str = "key", who: Principal = ALICE, plan: Plan = PLAN
) -> LaunchResult:
    return await launch(services, plan, MEDIA, who, request_id="r", idempotency_key=key)


async def test_a_key_used_again_answers_with_the_same_job(ready: Services, dagster: Any) -> None:
    first, second = await _launch(ready), await _launch(ready)
    assert first.run.run_id == second.run.run_id
    assert (first.is_replay, second.is_replay) == (False, True)
    assert dagster.asked == ["launch"]


async def test_a_key_used_for_something_else_is_refused(ready: Services, dagster: Any) -> None:
    await _launch(ready)
    with pytest.raises(IdempotencyMismatchError):
        await _launch(ready, plan=replace(PLAN, priority=1))
    assert len(dagster.runs) == 1


async def test_a_key_belongs_to_its_owner(ready: Services, dagster: Any) -> None:
    await _launch(ready, who=ALICE)
    assert not (await _launch(ready, who=BOB)).is_replay
    assert len(dagster.runs) == 2


async def test_without_a_key_each_submission_is_a_job(ready: Services, dagster: Any) -> None:
    for _ in range(2):
        await launch(ready, PLAN, MEDIA, ALICE, request_id="r", idempotency_key=None)
    assert len(dagster.runs) == 2


async def test_a_launch_under_way_is_a_conflict(ready: Services) -> None:
    meaning = fingerprint({"media": MEDIA.sha256, **vars(PLAN)})
    ready.idempotency.claim("alice", "key", meaning)
    with pytest.raises(IdempotencyInFlightError) as caught:
        await _launch(ready)
    assert caught.value.headers == {"Retry-After": "1"}


async def test_killed_between_launch_and_record_the_retry_finds_the_run(
    ready: Services, dagster: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(*_arguments: object) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(IdempotencyRecords, "complete", die)
        with pytest.raises(Crash):
            await _launch(ready)
    retried = await _launch(ready)
    assert retried.is_replay
    assert [retried.run.run_id] == list(dagster.runs)


async def test_killed_before_the_launch_the_retry_launches_once_the_claim_is_stale(
    ready: Services, impatient: Services, dagster: Any
) -> None:
    def die(_run: object) -> None:
        raise Crash

    dagster.transport_reply = die
    with pytest.raises(Crash):
        await _launch(ready)
    dagster.transport_reply = None
    with pytest.raises(IdempotencyInFlightError):
        await _launch(ready)
    assert not (await _launch(impatient)).is_replay
    assert (await _launch(ready)).is_replay
    assert len(dagster.runs) == 1


async def test_killed_before_the_launch_the_retry_launches_at_once_after_a_restart(
    ready: Services, dagster: Any
) -> None:
    def die(_run: object) -> None:
        raise Crash

    dagster.transport_reply = die
    with pytest.raises(Crash):
        await _launch(ready)
    dagster.transport_reply = None
    ready.idempotency.take_over()
    assert not (await _launch(ready)).is_replay
    assert len(dagster.runs) == 1


@pytest.mark.parametrize("status", [None, 500, 502, 504])
async def test_a_launch_that_was_not_answered_is_looked_up_before_it_is_tried_again(
    impatient: Services, dagster: Any, status: int | None
) -> None:
    """The webserver launched the run, and its answer was lost, or is somebody else's."""
    handle = dagster.handle

    def lose_the_answer(request: httpx.Request) -> httpx.Response:
        dagster.transport_reply = None
        handle(request)
        if status is None:
            raise httpx.ReadError("lost")
        return httpx.Response(status, text="Internal Server Error")

    dagster.transport_reply = lose_the_answer
    with pytest.raises(OrchestratorSilentError):
        await _launch(impatient)
    retried = await _launch(impatient)
    assert retried.is_replay
    assert dagster.asked == ["launch"]


async def test_a_launch_that_goes_on_after_it_was_taken_over_makes_no_second_run(
    impatient: Services, dagster: Any
) -> None:
    """The webserver waits for a database or a code server, and goes on when nobody listens."""
    held: list[httpx.Request] = []

    def hold(request: httpx.Request) -> httpx.Response:
        held.append(request)
        raise httpx.ReadTimeout("late")

    dagster.transport_reply = hold
    with pytest.raises(OrchestratorSilentError):
        await _launch(impatient)
    dagster.transport_reply = None
    taken_over = await _launch(impatient)
    dagster.handle(held[0])

    assert dagster.asked == ["launch", "launch"]
    assert list(dagster.runs) == [taken_over.run.run_id]
    assert (await _launch(impatient)).run.run_id == taken_over.run.run_id


async def test_who_took_over_and_is_refused_does_not_free_the_key(
    impatient: Services, dagster: Any
) -> None:
    """The first launch may go on: whoever asks next must be in for the same run."""
    held: list[httpx.Request] = []

    def hold(request: httpx.Request) -> httpx.Response:
        held.append(request)
        raise httpx.ReadTimeout("late")

    dagster.transport_reply = hold
    with pytest.raises(OrchestratorSilentError):
        await _launch(impatient)
    dagster.transport_reply = None
    dagster.replies["launchRun"] = {"__typename": "UnauthorizedError", "message": "no"}
    with pytest.raises(Exception, match="does not allow"):
        await _launch(impatient)
    dagster.replies.clear()
    dagster.handle(held[0])

    assert (await _launch(impatient)).is_replay
    assert len(dagster.runs) == 1


async def test_a_refused_launch_frees_the_key(ready: Services, dagster: Any) -> None:
    dagster.replies["launchRun"] = {"__typename": "UnauthorizedError", "message": "no"}
    with pytest.raises(Exception, match="does not allow"):
        await _launch(ready)
    dagster.replies.clear()
    assert not (await _launch(ready, plan=replace(PLAN, priority=1))).is_replay


async def test_fifty_posts_at_once_with_one_key_make_one_run(
    admin: httpx.AsyncClient, dagster: Any, clip: bytes
) -> None:
    async def post() -> httpx.Response:
        return await admin.post(
            "/api/v1/jobs", files={"video": ("a.mp4", clip)}, headers={"Idempotency-Key": "k"}
        )

    media = (await post()).json()["media"]
    dagster.runs.clear()
    dagster.asked.clear()
    answers = await asyncio.gather(
        *(
            admin.post("/api/v1/jobs", json={"media": media}, headers={"Idempotency-Key": "j"})
            for _ in range(50)
        )
    )
    statuses = Counter(answer.status_code for answer in answers)
    assert set(statuses) <= {201, 409}
    assert dagster.asked == ["launch"]
    assert {answer.json()["id"] for answer in answers if answer.is_success} == set(dagster.runs)
    replay = await admin.post(
        "/api/v1/jobs", json={"media": media}, headers={"Idempotency-Key": "j"}
    )
    assert replay.headers["Idempotency-Replayed"] == "true"


async def test_a_deleted_job_is_not_replayed(
    admin: httpx.AsyncClient, dagster: Any, clip: bytes
) -> None:
    def post() -> Any:
        return admin.post(
            "/api/v1/jobs", files={"video": ("a.mp4", clip)}, headers={"Idempotency-Key": "k"}
        )

    first = (await post()).json()["id"]
    dagster.runs[first].end("SUCCESS")
    assert (await admin.delete(f"/api/v1/jobs/{first}")).status_code == 204
    second = await post()
    assert second.status_code == 201
    assert second.json()["id"] != first


def test_the_order_of_fields_does_not_matter_and_their_values_do() -> None:
    assert fingerprint({"a": 1, "b": {"c": 2, "d": 3}}) == fingerprint(
        {"b": {"d": 3, "c": 2}, "a": 1}
    )
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


@pytest.mark.parametrize("key", ["", "a b", "a\n", "ä", "x" * 256])
def test_a_key_that_could_do_harm_is_refused(key: str) -> None:
    with pytest.raises(InvalidRequestError):
        check_key(key)


async def test_a_key_whose_job_was_deleted_makes_a_new_one(ready: Services, dagster: Any) -> None:
    """Retention deletes runs behind the API's back."""
    first = await _launch(ready)
    await ready.dagster.delete(first.run.run_id)
    second, third = await _launch(ready), await _launch(ready)

    assert second.run.run_id != first.run.run_id
    assert (second.is_replay, third.is_replay) == (False, True)
    assert [*dagster.runs] == [second.run.run_id]


def test_a_launch_under_way_is_not_forgotten_when_the_clock_jumps(ready: Services) -> None:
    def restarted() -> IdempotencyRecords:
        return IdempotencyRecords(ready.database, stale_after=0.0, days=30)

    first = restarted().claim("alice", "key", "meaning")
    with ready.database.write() as session:
        record = session.get_one(IdempotencyRecord, ("alice", "key"))
        record.claimed_at -= timedelta(days=31)

    assert restarted().claim("alice", "key", "meaning").launch_id == first.launch_id


def test_a_key_is_forgotten_after_its_days(ready: Services) -> None:
    def restarted() -> IdempotencyRecords:
        return IdempotencyRecords(ready.database, stale_after=0.0, days=30)

    claimed = restarted().claim("alice", "key", "meaning")
    restarted().complete(claimed, "run")
    assert restarted().claim("alice", "key", "meaning").run_id == "run"

    with ready.database.write() as session:
        record = session.get_one(IdempotencyRecord, ("alice", "key"))
        record.claimed_at -= timedelta(days=31)
    assert restarted().claim("alice", "key", "another meaning").is_first
