"""One validator behind every door: the same configs, sent through the first op of runs, presets,
the nightly batch and the inbox sensor, get one verdict.
"""

import io
import json
import time
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    DagsterInstance,
    DagsterInvalidConfigError,
    DagsterRun,
    JobDefinition,
    SensorDefinition,
    build_sensor_context,
    validate_run_config,
)

from contracts.run import FAILURE_TAG, PROBE_OP, Failure
from orchestration.annotation.jobs import build_jobs
from orchestration.automation.inbox import build_inbox_sensor
from orchestration.dagster_internals.testing import InMemoryJob, create_execution_plan, execute_plan
from orchestration.inbox.preset_files import PresetFiles
from orchestration.maintenance.library_batch import build_library_batch
from orchestration.maintenance.wanted import wanted_pipelines
from orchestration.settings import Settings
from pipelines.errors import ConfigError
from pipelines.registry.catalog import Catalog
from pipelines.registry.presets import Presets, load_presets
from tests.contract.generated_configs import PIPELINES, Case

RUNS = 10
QUIET_SECONDS = 0.05
#: Of no file: the first op gets past the configs only to find no media.
NO_MEDIA = "0" * 64


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture(scope="module")
def settings(cases: list[Case], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a home with a preset of each config. Owners differ, so that no two ask for one run."""
    settings = Settings(
        home=tmp_path_factory.mktemp("home"), inbox_quiet_seconds=QUIET_SECONDS, library_roots=()
    )
    settings.folders.presets.mkdir()
    for number, case in enumerate(cases):
        preset = {
            "pipelines": [case.pipeline],
            "config": {case.pipeline: case.config},
            "owner": f"owner-{number}",
        }
        file = settings.folders.presets / f"{_preset(number)}.yaml"
        file.write_text(json.dumps(preset))  # JSON is YAML, too
    return settings


@pytest.fixture(scope="module")
def presets(settings: Settings, catalog: Catalog) -> Presets:
    return load_presets(settings.folders.presets, catalog)


@pytest.fixture(scope="module")
def jobs(settings: Settings, catalog: Catalog, presets: Presets) -> dict[str, JobDefinition]:
    """Of every pipeline, and of every preset that can be used."""
    built = build_jobs(catalog, settings.folders, presets.usable.values())
    return {job.name: job for job in built}


@pytest.fixture
def batch(settings: Settings, catalog: Catalog, jobs: dict[str, JobDefinition]) -> JobDefinition:
    return build_library_batch(settings, catalog, list(jobs.values()))


@pytest.fixture
def sensor(
    settings: Settings, catalog: Catalog, presets: Presets, jobs: dict[str, JobDefinition]
) -> SensorDefinition:
    files = PresetFiles(settings.folders.presets)
    return build_inbox_sensor(settings, catalog, presets, files, list(jobs.values()))


def _preset(number: int) -> str:
    return f"preset_{number}"


def _run_config(case: Case) -> dict[str, Any]:
    probe = {PROBE_OP: {"config": {"media": NO_MEDIA}}}
    return {"ops": {**probe, case.pipeline: {"config": case.config}}}


def _assert_told(case: Case, instance: DagsterInstance, run_id: str) -> None:
    """A run that failed tells the first of the errors; without any, that there is no media."""
    run = instance.get_run_by_id(run_id)
    assert run is not None
    failure = Failure.from_tag(run.tags[FAILURE_TAG])
    if case.verdict.valid:
        assert failure.code != "INVALID_CONFIG"
        return
    first = case.verdict.errors[0]
    message = f"{case.pipeline}: {first.field}: {first.message}"
    assert failure == Failure("INVALID_CONFIG", message, first.hint)


def test_dagster_takes_every_good_config(cases: list[Case], jobs: dict[str, JobDefinition]) -> None:
    for case in cases:
        if case.verdict.valid:
            validate_run_config(jobs[case.pipeline], _run_config(case))


def test_the_first_op_says_the_same_of_all(
    cases: list[Case], jobs: dict[str, JobDefinition], instance: DagsterInstance
) -> None:
    """The op alone, past Dagster's own types, which would refuse bad ones before they are runs."""
    past_types = {"ops": {PROBE_OP: {"config": {"media": NO_MEDIA}}}}
    plans = {
        name: create_execution_plan(jobs[name], past_types, step_keys_to_execute=[PROBE_OP])
        for name in PIPELINES
    }
    for case in cases:
        job = jobs[case.pipeline]
        run = instance.add_run(DagsterRun(job_name=job.name, run_config=_run_config(case)))
        execute_plan(plans[job.name], InMemoryJob(job), instance, run, run_config=past_types)
        _assert_told(case, instance, run.run_id)


def test_whole_runs_say_the_same(
    cases: list[Case], jobs: dict[str, JobDefinition], instance: DagsterInstance
) -> None:
    """Those that Dagster's own types refuse never become one."""
    for case in cases[:RUNS]:
        try:
            result = jobs[case.pipeline].execute_in_process(
                _run_config(case), instance=instance, raise_on_error=False
            )
        except DagsterInvalidConfigError:
            assert not case.verdict.valid
            continue
        failed = [event.step_key for event in result.all_events if event.is_step_failure]
        assert failed == [PROBE_OP]
        _assert_told(case, instance, result.run_id)
    assert instance.get_runs_count() > 0


def test_presets_say_the_same(cases: list[Case], presets: Presets) -> None:
    for number, case in enumerate(cases):
        found = [each for each in presets.problems if each.file == f"{_preset(number)}.yaml"]
        assert [(each.field, each.message, each.hint) for each in found] == [
            (error.field.replace("config", f"config.{case.pipeline}", 1), error.message, error.hint)
            for error in case.verdict.errors
        ]
        assert (_preset(number) in presets.usable) == case.verdict.valid


def test_the_nightly_batch_wants_what_is_good_and_nothing_else(
    cases: list[Case], catalog: Catalog, presets: Presets
) -> None:
    for number, case in enumerate(cases):
        config: Mapping[str, Any] | None = None
        try:
            config = wanted_pipelines([_preset(number)], catalog, presets).config
        except ConfigError:
            assert not case.verdict.valid
        assert config == ({case.pipeline: case.config} if case.verdict.valid else None)


def test_runs_of_the_nightly_batch_fail_for_what_is_not_good(
    cases: list[Case], batch: JobDefinition, instance: DagsterInstance
) -> None:
    for number, case in enumerate(cases[:RUNS]):
        config = {"ops": {batch.name: {"config": {"pipelines": [_preset(number)]}}}}
        result = batch.execute_in_process(config, instance=instance, raise_on_error=False)
        assert result.success == case.verdict.valid


def test_the_inbox_sensor_asks_for_runs_of_what_is_good_and_of_nothing_else(
    cases: list[Case],
    settings: Settings,
    sensor: SensorDefinition,
    jobs: dict[str, JobDefinition],
    instance: DagsterInstance,
) -> None:
    """The same sound is dropped into a folder of each preset's name."""
    for number in range(len(cases)):
        _drop_silence(settings.inbox_root / _preset(number))
    asked = _requests(sensor, instance)

    good = {_preset(number): case for number, case in enumerate(cases) if case.verdict.valid}
    assert asked.keys() == good.keys()
    for name, case in good.items():
        assert asked[name]["ops"][case.pipeline] == {"config": case.config}
        validate_run_config(jobs[name], asked[name])


def _requests(sensor: SensorDefinition, instance: DagsterInstance) -> dict[str, Mapping[str, Any]]:
    """The run config of each job that it asks for until it asks for no more."""
    asked: dict[str, Mapping[str, Any]] = {}
    cursor: str | None = None
    time.sleep(2 * QUIET_SECONDS)
    while True:
        tick = sensor.evaluate_tick(build_sensor_context(instance=instance, cursor=cursor))
        cursor = tick.cursor
        if not tick.run_requests:
            return asked
        asked |= {str(request.job_name): request.run_config for request in tick.run_requests}


def _drop_silence(folder: Path) -> None:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(bytes(3200))
    folder.mkdir(parents=True)
    (folder / "silence.wav").write_bytes(file.getvalue())
