"""What a retry takes over from the runs before it."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRun

from contracts.home import Home
from contracts.retry import FROM_FAILURE_TAG, carried_over_tag
from contracts.run import MEDIA_TAG, PIPELINES_TAG, PROBE_OP, pipeline_tags
from orchestration.annotation.carry_over import carry_over
from pipelines.errors import MediaChangedError, ResultsGoneError

FACES, SCENES, SPEECH = "face_detection", "scene_detection", "speech_activity"
MEDIA = "a" * 64
CONFIG: dict[str, Any] = {"ops": {PROBE_OP: {"config": {"media": MEDIA}}}}


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def add(instance: DagsterInstance) -> Callable[..., DagsterRun]:
    """Puts a run of three pipelines into Dagster; `of` is the run that it retries."""

    def add(
        of: DagsterRun | None = None,
        *,
        steps: list[str] | None = None,
        config: dict[str, Any] = CONFIG,
        tags: dict[str, str] | None = None,
    ) -> DagsterRun:
        return instance.add_run(
            DagsterRun(
                job_name="annotate",
                run_config=config,
                step_keys_to_execute=steps,
                tags=pipeline_tags([FACES, SCENES, SPEECH]) if tags is None else tags,
                parent_run_id=of and of.run_id,
                root_run_id=of and (of.root_run_id or of.run_id),
            )
        )

    return add


@pytest.fixture
def publish(home: Home) -> Callable[..., Path]:
    def publish(run: DagsterRun, pipeline: str) -> Path:
        folder = home.results(run.run_id) / pipeline
        (folder / "thumbnails").mkdir(parents=True)
        files = ["found.json", "thumbnails/1.jpg"]
        for name in files:
            (folder / name).write_text(f"{pipeline} of {run.run_id}")
        manifest = {"files": [{"name": name} for name in files]}
        (folder / "manifest.json").write_text(json.dumps(manifest))
        return folder

    return publish


def _tags(instance: DagsterInstance, run: DagsterRun) -> Any:
    stored = instance.get_run_by_id(run.run_id)
    assert stored
    return stored.tags


def _published(home: Home, run: DagsterRun) -> list[str]:
    folder = home.results(run.run_id)
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_a_run_that_retries_nothing_is_left_as_it_is(
    add: Any, instance: DagsterInstance, home: Home
) -> None:
    run = add()
    assert carry_over(run, instance, home) is run


def test_what_the_earlier_run_completed_is_there_without_a_copy_being_made(
    add: Any, publish: Any, instance: DagsterInstance, home: Home
) -> None:
    first = add()
    source = publish(first, FACES)
    publish(first, SCENES)
    retry = carry_over(add(first, steps=[SPEECH]), instance, home)
    assert _published(home, retry) == [FACES, SCENES]
    for name in ("found.json", "thumbnails/1.jpg", "manifest.json"):
        carried = home.results(retry.run_id) / FACES / name
        assert carried.samefile(source / name)
    assert retry.tags[carried_over_tag(FACES)] == first.run_id
    assert _tags(instance, retry)[carried_over_tag(SCENES)] == first.run_id
    assert list(home.partial(retry.run_id).iterdir()) == []


def test_without_links_it_is_copied(
    add: Any,
    publish: Any,
    instance: DagsterInstance,
    home: Home,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise PermissionError("this file system has no links")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    first = add()
    source = publish(first, FACES)
    retry = carry_over(add(first, steps=[SCENES, SPEECH]), instance, home)
    carried = home.results(retry.run_id) / FACES / "found.json"
    assert carried.read_text() == (source / "found.json").read_text()
    assert not carried.samefile(source / "found.json")


def test_doing_it_again_changes_nothing(
    add: Any, publish: Any, instance: DagsterInstance, home: Home
) -> None:
    """Its worker was lost: the run went back into the queue, and the first one was deleted."""
    first = add()
    source = publish(first, FACES)
    retry = carry_over(add(first, steps=[SCENES, SPEECH]), instance, home)
    inode = (home.results(retry.run_id) / FACES / "found.json").stat().st_ino
    half_done = home.partial(retry.run_id) / FACES
    half_done.mkdir()
    assert source.exists()
    again = carry_over(retry, instance, home)
    assert again.tags == retry.tags
    assert (home.results(retry.run_id) / FACES / "found.json").stat().st_ino == inode


def test_over_generations_the_run_that_made_the_results_is_named(
    add: Any, publish: Any, instance: DagsterInstance, home: Home
) -> None:
    first = add()
    publish(first, FACES)
    second = carry_over(add(first, steps=[SCENES, SPEECH]), instance, home)
    publish(second, SCENES)
    third = carry_over(add(second, steps=[SPEECH]), instance, home)
    assert _published(home, third) == [FACES, SCENES]
    assert third.tags[carried_over_tag(FACES)] == first.run_id
    assert third.tags[carried_over_tag(SCENES)] == second.run_id


def test_a_retry_that_never_started_leads_on_to_the_run_before_it(
    add: Any, publish: Any, instance: DagsterInstance, home: Home
) -> None:
    first = add()
    publish(first, FACES)
    cancelled_in_the_queue = add(first, steps=[SCENES, SPEECH])
    third = carry_over(add(cancelled_in_the_queue, steps=[SCENES, SPEECH]), instance, home)
    assert _published(home, third) == [FACES]
    assert third.tags[carried_over_tag(FACES)] == first.run_id


def test_results_that_are_gone_fail_a_retry_from_failure(
    add: Any, publish: Any, instance: DagsterInstance, home: Home
) -> None:
    first = add()
    folder = publish(first, FACES)
    retry = add(
        first, steps=[SCENES], tags={**pipeline_tags([FACES, SCENES]), FROM_FAILURE_TAG: "true"}
    )
    (folder / "found.json").unlink()
    with pytest.raises(ResultsGoneError, match=FACES):
        carry_over(retry, instance, home)
    instance.delete_run(first.run_id)
    with pytest.raises(ResultsGoneError, match=FACES):
        carry_over(retry, instance, home)
    assert _published(home, retry) == []


def test_results_of_another_config_or_media_are_not_taken_for_its_own(
    add: Any, publish: Any, instance: DagsterInstance, home: Home
) -> None:
    first = add()
    publish(first, FACES)
    other_config = {"ops": {**CONFIG["ops"], FACES: {"config": {"threshold": 0.9}}}}
    other_media = {"ops": {PROBE_OP: {"config": {"media": "b" * 64}}}}
    for config in (other_config, other_media):
        tags = {**pipeline_tags([FACES, SCENES]), FROM_FAILURE_TAG: "true"}
        with pytest.raises(ResultsGoneError):
            carry_over(add(first, steps=[SCENES], config=config, tags=tags), instance, home)


def test_steps_chosen_by_hand_are_the_job_together_with_what_is_there(
    add: Any, publish: Any, instance: DagsterInstance, home: Home
) -> None:
    """In the UI one may run one of two failed pipelines again."""
    first = add()
    publish(first, FACES)
    retry = carry_over(add(first, steps=[SCENES]), instance, home)
    assert retry.tags[PIPELINES_TAG] == f"{FACES},{SCENES}"
    assert _published(home, retry) == [FACES]


def test_a_run_without_tags_learns_from_its_parent_what_it_is_of(
    add: Any, publish: Any, instance: DagsterInstance, home: Home
) -> None:
    first = add(tags={**pipeline_tags([FACES, SCENES]), MEDIA_TAG: MEDIA})
    publish(first, FACES)
    retry = carry_over(add(first, steps=[SCENES], tags={}), instance, home)
    known = {**pipeline_tags([FACES, SCENES]), MEDIA_TAG: MEDIA}
    assert known.items() <= _tags(instance, retry).items()


def test_results_are_not_mixed_with_those_of_a_file_that_was_replaced(
    add: Any, publish: Any, instance: DagsterInstance, home: Home, tmp_path: Path
) -> None:
    video = tmp_path / "video.mp4"
    video.write_bytes(b"another video by now")
    config = {"ops": {PROBE_OP: {"config": {"media": str(video)}}}}
    tags = {**pipeline_tags([FACES, SCENES]), MEDIA_TAG: MEDIA}
    first = add(config=config, tags=tags)
    publish(first, FACES)
    with pytest.raises(MediaChangedError):
        carry_over(add(first, steps=[SCENES], config=config, tags=tags), instance, home)
