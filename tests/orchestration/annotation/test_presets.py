"""Presets are Dagster jobs, can be launched by hand, and say what is wrong with them."""

import json
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterInvalidConfigError, Definitions

from contracts.home import Home
from contracts.run import OWNER_TAG, PIPELINES_TAG, PRESET_TAG, PRIORITY_TAG
from orchestration.annotation.jobs import build_jobs
from orchestration.automation.inbox import build_inbox_sensor
from orchestration.inbox.preset_files import Change, PresetFiles
from orchestration.settings import Settings
from pipelines.clips import clip
from pipelines.registry.catalog import load_catalog
from pipelines.registry.presets import load_presets

PRESET = """\
pipelines: [speech_activity]
config: {speech_activity: {threshold: 0.25}}
priority: 7
owner: ana
tags: {project: night}
"""


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    home.presets.mkdir()
    (home.presets / "night.yaml").write_text(PRESET)
    (home.presets / "bad.yaml").write_text("pipelines: [scene_detection]\nowner: 3\n")
    return home


@pytest.fixture
def definitions(home: Home) -> Definitions:
    files = PresetFiles(home.presets)
    presets = load_presets(home.presets, load_catalog())
    jobs = build_jobs(load_catalog(), home, presets.usable.values())
    settings = Settings(home=home.root)
    definitions = Definitions(
        jobs=jobs, sensors=[build_inbox_sensor(settings, load_catalog(), presets, files, jobs)]
    )
    Definitions.validate_loadable(definitions)
    return definitions


def test_a_preset_is_a_job_with_its_tags(definitions: Definitions) -> None:
    tags = definitions.get_job_def("night").run_tags

    assert tags[PRESET_TAG] == "night"
    assert tags[PIPELINES_TAG] == "speech_activity"
    assert tags[OWNER_TAG] == "ana"
    assert tags[PRIORITY_TAG] == "7"
    assert tags["user/project"] == "night"


def test_what_is_left_out_by_hand_is_the_presets(definitions: Definitions, home: Home) -> None:
    """And not the pipeline's default."""
    job = definitions.get_job_def("night")
    config = {"ops": {"probe": {"config": {"media": str(clip("bigbuckbunny"))}}}}
    with DagsterInstance.ephemeral() as instance:
        run = job.execute_in_process(config, instance=instance)

    manifest = home.results(run.run_id) / "speech_activity" / "manifest.json"
    assert json.loads(manifest.read_text())["config"]["threshold"] == 0.25


def test_it_cannot_be_launched_without_media(definitions: Definitions) -> None:
    job = definitions.get_job_def("night")

    with pytest.raises(DagsterInvalidConfigError, match="Fill in which media"):
        job.execute_in_process()


def test_a_bad_preset_is_seen_on_the_sensor(definitions: Definitions) -> None:
    description = definitions.get_repository_def().get_sensor_def("inbox").description

    assert description is not None
    assert "PRESETS THAT CANNOT BE USED: bad.yaml: owner: Value must be a string" in description


def test_a_change_of_presets_is_done_once_it_is_seen_twice(home: Home) -> None:
    files = PresetFiles(home.presets)
    assert files.look() is Change.NONE

    (home.presets / "new.yaml").write_text(PRESET)
    assert files.look() is Change.UNDER_WAY
    assert files.look() is Change.DONE

    (home.presets / "new.yaml").unlink()
    assert files.look() is Change.NONE
