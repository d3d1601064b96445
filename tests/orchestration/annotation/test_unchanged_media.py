"""A file that is replaced after its job was submitted is not annotated as what it was before."""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance

from contracts.home import Home
from contracts.run import FAILURE_TAG, MEDIA_TAG, Failure, failure_tag
from orchestration.annotation import ops
from orchestration.annotation.jobs import build_jobs
from pipelines.clips import clip
from pipelines.registry.catalog import load_catalog

SPEECH = "speech_activity"


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(shutil.copy(clip("bigbuckbunny"), tmp_path / "video.mp4"))


@pytest.fixture
def run(home: Home, instance: DagsterInstance, file: Path) -> Callable[[str], Any]:
    """Executes a job of the file that was submitted for content of this hash."""
    [job] = [job for job in build_jobs(load_catalog(), home) if job.name == SPEECH]
    config = {"ops": {"probe": {"config": {"media": str(file)}}}}

    def run(sha256: str) -> Any:
        result = job.execute_in_process(
            config, instance=instance, tags={MEDIA_TAG: sha256}, raise_on_error=False
        )
        return instance.get_run_by_id(result.run_id)

    return run


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_was_only_touched_is_annotated(run: Any, file: Path, home: Home) -> None:
    before = _sha256(file)
    os.utime(file)

    done = run(before)

    assert done.is_success
    assert (home.results(done.run_id) / SPEECH / "manifest.json").is_file()


def test_a_file_that_was_replaced_while_its_job_waited_fails_the_job(run: Any, file: Path) -> None:
    before = _sha256(file)
    shutil.copy(clip("carphone"), file)

    done = run(before)

    assert done.is_failure
    assert Failure.from_tag(done.tags[FAILURE_TAG]).code == "MEDIA_CHANGED"


def test_a_file_that_is_replaced_while_it_is_annotated_leaves_no_results(
    run: Any, file: Path, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate_and_publish = ops.annotate_and_publish

    def replace_meanwhile(*arguments: Any, **named: Any) -> Any:
        file.write_bytes(file.read_bytes() + bytes(8))  # the same film, other content
        return annotate_and_publish(*arguments, **named)

    monkeypatch.setattr(ops, "annotate_and_publish", replace_meanwhile)

    done = run(_sha256(file))

    assert Failure.from_tag(done.tags[failure_tag(SPEECH)]).code == "MEDIA_CHANGED"
    assert not (home.results(done.run_id) / SPEECH).exists()
