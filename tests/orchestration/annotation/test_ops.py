"""What the ops of a run leave behind, whatever their pipelines do."""

import json
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterInstance, DagsterRun, JobDefinition

from contracts.home import Home
from contracts.run import PROBE_OP
from orchestration.annotation.jobs import build_jobs
from pipelines.registry.catalog import load_catalog

Run = Callable[..., DagsterRun]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


@pytest.fixture
def jobs(home: Home, third_party: Path) -> Iterator[dict[str, JobDefinition]]:
    """By name, the third party's among them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(third_party))
        yield {job.name: job for job in build_jobs(load_catalog.__wrapped__(), home)}


@pytest.fixture
def run(jobs: dict[str, JobDefinition], tmp_path: Path) -> Iterator[Run]:
    """Runs pipelines, given with their configs, on a second of silence."""
    with wave.open(str(tmp_path / "hush.wav"), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(32_000))
    media = {PROBE_OP: {"config": {"media": str(tmp_path / "hush.wav")}}}

    with DagsterInstance.ephemeral() as instance:

        def execute(**configs: dict[str, Any]) -> DagsterRun:
            result = jobs["annotate"].execute_in_process(
                {"ops": media | {name: {"config": config} for name, config in configs.items()}},
                instance=instance,
                op_selection=[PROBE_OP, *configs],
                raise_on_error=False,
            )
            ended = instance.get_run_by_id(result.run_id)
            assert ended is not None
            return ended

        yield execute


def test_a_failed_pipelines_progress_outlasts_those_after_it(run: Run, home: Home) -> None:
    ended = run(misbehaving={"behaviour": "raise"}, speech_activity={})

    progress = json.loads(home.progress(ended.run_id).read_text())
    assert progress == {"misbehaving": 0.5, "speech_activity": 1.0}


def test_a_broken_preview_fails_no_run(run: Run, home: Home) -> None:
    ended = run(misbehaving={"behaviour": "broken_preview"})

    assert ended.is_success
    assert (home.results(ended.run_id) / "misbehaving" / "preview.png").exists()


def test_a_link_among_the_results_is_not_published(run: Run, home: Home) -> None:
    ended = run(misbehaving={"behaviour": "dangling_link"})

    assert ended.is_success
    results = home.results(ended.run_id) / "misbehaving"
    assert sorted(path.name for path in results.iterdir()) == ["manifest.json", "started.txt"]
