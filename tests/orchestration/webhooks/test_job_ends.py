"""The sensor that sees jobs end: from Dagster's own records to a receiver."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    build_sensor_context,
)

from contracts.home import Home
from contracts.run import (
    FAILURE_TAG,
    KIND,
    KIND_TAG,
    MEDIA_TAG,
    OWNER_TAG,
    Failure,
    failure_tag,
    pipeline_tags,
)
from contracts.webhook import Target, new_secret, write_target
from orchestration.automation.job_ends import build_job_end_sensor
from orchestration.settings import Settings
from orchestration.webhooks import delivery
from orchestration.webhooks import job_ends as job_ends_module
from orchestration.webhooks.job_ends import Cursor, job_ends

FACES, SCENES = "face_detection", "scene_detection"


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def add_run(instance: DagsterInstance) -> Callable[..., DagsterRun]:
    def add(owner: str = "alice", **tags: str) -> DagsterRun:
        ours = {KIND_TAG: KIND, OWNER_TAG: owner, MEDIA_TAG: "a" * 64}
        return instance.add_run(
            DagsterRun("annotate", tags={**ours, **pipeline_tags([FACES, SCENES]), **tags})
        )

    return add


@pytest.fixture
def tick(instance: DagsterInstance, tmp_path: Path, receiver: Any) -> Callable[..., str]:
    """One tick of the sensor, and what it says; the receiver is told of everybody's jobs."""
    settings = Settings(home=tmp_path, webhook_url=receiver.url, webhook_secret=new_secret())
    sensor = build_job_end_sensor(settings)
    cursors: list[str | None] = [None]

    def tick(*, keep_cursor: bool = True) -> str:
        with build_sensor_context(instance, cursor=cursors[-1]) as context:
            said: Any = sensor(context)
            if keep_cursor:
                cursors.append(context.cursor)
        return str(said.skip_message)

    return tick


def test_each_end_is_told_once_in_the_words_of_the_event_streams(
    tick: Any, add_run: Any, instance: DagsterInstance, receiver: Any, tmp_path: Path
) -> None:
    tick()
    done, failed, cancelled = add_run(), add_run(), add_run()
    folder = Home(tmp_path).results(failed.run_id) / SCENES
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{}")
    failure = Failure("GPU_OUT_OF_MEMORY", "Too big.").to_tag()
    instance.add_run_tags(failed.run_id, {failure_tag(FACES): failure})
    instance.report_run_canceled(cancelled)
    instance.report_run_failed(failed)
    success = DagsterEvent(DagsterEventType.PIPELINE_SUCCESS.value, done.job_name)
    instance.report_dagster_event(success, run_id=done.run_id)

    assert tick() == "3 jobs ended; webhooks: 3 delivered."
    assert tick() == "No job ended."

    told = {message["data"]["job_id"]: message for message in receiver.messages}
    assert {run_id: message["type"] for run_id, message in told.items()} == {
        done.run_id: "job.complete",
        failed.run_id: "job.error",
        cancelled.run_id: "job.cancelled",
    }
    data = told[failed.run_id]["data"]
    assert data["pipelines"] == {FACES: "failed", SCENES: "completed"}
    assert data["error"] == {"code": "GPU_OUT_OF_MEMORY", "message": "Too big."}
    assert data["url"].endswith(f"/api/v1/jobs/{failed.run_id}")
    assert (data["owner"], data["media"]) == ("alice", "a" * 64)
    assert told[done.run_id]["data"]["error"] is None


def test_a_tick_that_is_cut_off_loses_nothing_and_repeats_with_the_same_id(
    tick: Any, add_run: Any, instance: DagsterInstance, receiver: Any
) -> None:
    tick()
    instance.report_run_canceled(add_run())
    tick(keep_cursor=False)
    tick()
    first, again = receiver.ids
    assert first == again


def test_killed_between_announcing_and_delivering_it_is_delivered_later(
    tick: Any,
    add_run: Any,
    instance: DagsterInstance,
    receiver: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class KilledError(BaseException):
        pass

    def die(*_arguments: Any) -> None:
        raise KilledError

    tick()
    instance.report_run_canceled(add_run())
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "signed_headers", die)
        with pytest.raises(KilledError):
            tick()
    assert receiver.got == []
    tick()
    assert len(set(receiver.ids)) == len(receiver.got) == 1


def test_a_keys_receiver_is_told_of_its_owners_jobs_alone(
    tick: Any, add_run: Any, instance: DagsterInstance, make_receiver: Any, tmp_path: Path
) -> None:
    hers = make_receiver()
    target = Target(hers.url, new_secret(), owner="alice", key_id="k", created_at=time.time() - 1)
    write_target(Home(tmp_path), target)
    tick()
    of_alice, of_bob = add_run("alice"), add_run("bob")
    for run in (of_alice, of_bob):
        instance.report_run_canceled(run)
    assert tick() == "2 jobs ended; webhooks: 3 delivered."
    assert [message["data"]["job_id"] for message in hers.messages] == [of_alice.run_id]


def test_a_receiver_is_told_nothing_of_before_it_was_set_or_after_its_key_expired(
    tick: Any, add_run: Any, instance: DagsterInstance, make_receiver: Any, tmp_path: Path
) -> None:
    later, over = make_receiver(), make_receiver()
    now = time.time()
    for receiver, owner, times in (
        (later, "later", {"created_at": now + 1000}),
        (over, "over", {"expires_at": now - 1000}),
    ):
        write_target(Home(tmp_path), Target(receiver.url, new_secret(), owner=owner, **times))
    tick()
    for owner in ("later", "over"):
        instance.report_run_canceled(add_run(owner))
    tick()
    assert later.got == over.got == []


def test_what_is_no_job_is_not_told(
    tick: Any, add_run: Any, instance: DagsterInstance, receiver: Any
) -> None:
    tick()
    instance.report_run_canceled(add_run(**{KIND_TAG: "maintenance"}))
    assert tick() == "No job ended."
    assert receiver.got == []


def test_the_first_look_does_not_dig_in_the_past_and_the_second_neither(
    tick: Any,
    add_run: Any,
    instance: DagsterInstance,
    receiver: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instance.report_run_canceled(add_run())
    hour_later = time.time() + 3600
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: hour_later)
        assert tick() == "No job ended."
    assert tick() == "No job ended."
    instance.report_run_canceled(add_run())
    assert tick() == "1 jobs ended; webhooks: 1 delivered."
    assert len(receiver.got) == 1


def test_every_end_is_a_line_in_the_log(
    tick: Any, add_run: Any, instance: DagsterInstance, caplog: pytest.LogCaptureFixture
) -> None:
    tick()
    run = add_run(**{FAILURE_TAG: Failure("WORKER_LOST", "Gone.").to_tag()})
    instance.report_run_failed(run)
    with caplog.at_level(logging.INFO, logger="framegate.jobs"):
        tick()
    [line] = [record for record in caplog.records if record.name == "framegate.jobs"]
    fields = vars(line)
    assert fields["job_id"] == run.run_id
    assert (fields["status"], fields["owner"]) == ("failed", "alice")
    assert fields["error_code"] == "WORKER_LOST"


def test_an_end_that_becomes_visible_after_a_later_one_is_told(
    instance: DagsterInstance, add_run: Any
) -> None:
    """As where another connection to PostgreSQL commits late: the first id is seen last."""
    _ends, start = job_ends(instance, Cursor())
    late, early = add_run(), add_run()
    instance.report_run_canceled(late)
    _ends, seen = job_ends(instance, start)
    instance.report_run_canceled(early)
    kind = DagsterEventType.PIPELINE_CANCELED.value
    [first] = seen.told[kind]
    _all, both = job_ends(instance, seen)
    missed = Cursor(seen=both.seen, told={kind: both.told[kind] - {first}})

    found, after = job_ends(instance, missed)
    assert [end.run.run_id for end in found] == [late.run_id]
    assert job_ends(instance, after) == ([], after)


def test_more_ends_at_once_than_one_look_takes_are_all_told_once(
    instance: DagsterInstance, add_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_ends_module, "_MOST", 2)
    _ends, cursor = job_ends(instance, Cursor())
    runs = [add_run() for _ in range(7)]
    for run in runs:
        instance.report_run_canceled(run)

    told: list[str] = []
    for _look in range(5):
        ends, cursor = job_ends(instance, cursor)
        told += [end.run.run_id for end in ends]

    assert told == [run.run_id for run in runs]


def test_what_a_cursor_remembers_is_bounded(
    instance: DagsterInstance, add_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_ends_module, "_WINDOW", 3)
    cursor = Cursor()
    for _ in range(6):
        instance.report_run_canceled(add_run())
        ends, cursor = job_ends(instance, cursor)
        assert len(ends) == 1
    assert all(len(ids) <= 3 for ids in cursor.told.values())


@pytest.mark.parametrize("text", ["no JSON", "[1]", '{"seen": {"PIPELINE_SUCCESS": "x"}}'])
def test_a_cursor_that_somebody_has_spoilt_begins_anew(text: str) -> None:
    assert Cursor.read(text) == Cursor()
    assert Cursor.read(Cursor(seen={"a": 1}, told={"a": frozenset({1})}).write()).seen == {"a": 1}


def test_half_a_setting_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="set both or none"):
        Settings(home=tmp_path, webhook_url="https://lab.example/hook")
    with pytest.raises(ValueError, match="whsec_"):
        Settings(home=tmp_path, webhook_url="https://lab.example/hook", webhook_secret="A" * 8)
    with pytest.raises(ValueError, match="http"):
        Settings(home=tmp_path, webhook_url="ftp://lab.example", webhook_secret=new_secret())


def test_the_secret_is_in_no_message(
    tick: Any, add_run: Any, instance: DagsterInstance, receiver: Any
) -> None:
    tick()
    instance.report_run_canceled(add_run())
    tick()
    assert "whsec_" not in json.dumps(receiver.got, default=str)
