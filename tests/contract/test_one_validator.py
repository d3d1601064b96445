"""One validator behind every door: the same configs, posted through all, get one verdict."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from dagster import (
    DagsterInstance,
    DagsterInvalidConfigError,
    JobDefinition,
    validate_run_config,
)
from typer.testing import CliRunner

from api.cli.app import app
from api.stack.events import StackReady
from contracts.home import Home
from contracts.run import FAILURE_TAG, PROBE_OP, Failure
from orchestration.jobs import build_jobs
from pipelines.registry.catalog import Catalog, load_catalog
from pipelines.registry.presets import load_presets
from pipelines.registry.validation import Verdict, validate_config

CONFIGS = 200
RUNS = 20
PIPELINES = ("face_detection", "misbehaving", "scene_detection", "speech_activity")
#: Of no file: the first op gets past the configs only to find no media.
NO_MEDIA = "0" * 64


@dataclass(frozen=True)
class Told:
    """What one door says of a config: the fields in error, and their codes."""

    valid: bool
    errors: tuple[tuple[str, str], ...]


def generated(catalog: Catalog) -> list[tuple[str, dict[str, Any]]]:
    """About as many good configs as bad ones; the same ones each time."""
    dice = random.Random(20)  # noqa: S311 - repeatable, not secret
    names = [PIPELINES[index % len(PIPELINES)] for index in range(CONFIGS)]
    return [(name, _config(catalog.cards[name].config.model_json_schema(), dice)) for name in names]


def _config(schema: Mapping[str, Any], dice: random.Random) -> dict[str, Any]:
    fields = dict(schema["properties"])
    config = {
        name: _good(_resolved(fields[name], schema), dice)
        for name in dice.sample(sorted(fields), dice.randint(0, len(fields)))
    }
    for _ in range(dice.choice([0, 0, 0, 1, 2, 3])):
        name = dice.choice(sorted(fields))
        if dice.random() < 0.2:  # a slip of the finger
            config[name[:-1]] = 1
        else:
            config[name] = _bad(_resolved(fields[name], schema), dice)
    return config


def _resolved(field: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in field:
        return field
    target: Mapping[str, Any] = schema["$defs"][field["$ref"].rsplit("/", 1)[-1]]
    return target


def _good(field: Mapping[str, Any], dice: random.Random) -> Any:
    if "enum" in field:
        return dice.choice(field["enum"])
    low, high = field.get("minimum", 0), field.get("maximum", 1000)
    match field["type"]:
        case "boolean":
            return dice.random() < 0.5
        case "integer":
            return dice.randint(low, high)
        case "number":  # the limits themselves, and an integer, which is a number too
            return dice.choice([low, high, dice.uniform(low, high), int(high)])
    return "text"


def _bad(field: Mapping[str, Any], dice: random.Random) -> Any:
    low, high = field.get("minimum", 0), field.get("maximum", 1000)
    return dice.choice([None, [], {"deep": {"er": 1}}, "1", True, -1e300, low - 1, high + 1, 1.5])


@pytest.fixture(scope="module")
def catalog(third_party: Path) -> Iterator[Catalog]:
    """With the misbehaving pipeline, as the stack has it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(third_party))
        yield load_catalog.__wrapped__()


@pytest.fixture(scope="module")
def configs(catalog: Catalog) -> list[tuple[str, dict[str, Any]]]:
    return generated(catalog)


@pytest.fixture(scope="module")
def judged(configs: list[tuple[str, dict[str, Any]]], catalog: Catalog) -> list[Told]:
    """What the function says that the first op of every run calls."""
    return [_told(validate_config(name, config, catalog)) for name, config in configs]


@pytest.fixture(scope="module")
def jobs(catalog: Catalog, tmp_path_factory: pytest.TempPathFactory) -> dict[str, JobDefinition]:
    home = Home(tmp_path_factory.mktemp("home"))
    return {job.name: job for job in build_jobs(catalog, home)}


def _told(verdict: Verdict) -> Told:
    return Told(verdict.valid, tuple((error.field, error.code) for error in verdict.errors))


def _read(verdict: Mapping[str, Any], prefix: str = "config") -> Told:
    errors = verdict["errors"]
    return Told(
        verdict["valid"],
        tuple((error["field"].replace(prefix, "config", 1), error["code"]) for error in errors),
    )


def _run_config(name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    return {"ops": {PROBE_OP: {"config": {"media": NO_MEDIA}}, name: {"config": config}}}


def _first_op(
    job: JobDefinition, run_config: Mapping[str, Any], instance: DagsterInstance
) -> Failure | None:
    """Why the run's first op failed: there is no media. None where Dagster starts no such run."""
    try:
        result = job.execute_in_process(run_config, instance=instance, raise_on_error=False)
    except DagsterInvalidConfigError:
        return None
    assert [event.step_key for event in result.all_events if event.is_step_failure] == [PROBE_OP]
    run = instance.get_run_by_id(result.run_id)
    assert run is not None
    return Failure.from_tag(run.tags[FAILURE_TAG])


def test_the_configs_are_good_and_bad_in_many_ways(judged: list[Told]) -> None:
    good = sum(told.valid for told in judged)
    assert CONFIGS / 4 < good < CONFIGS * 3 / 4
    assert len({code for told in judged for _field, code in told.errors}) >= 4


def test_rest_says_the_same(
    rest: httpx.Client, configs: list[tuple[str, dict[str, Any]]], judged: list[Told]
) -> None:
    for (name, config), told in zip(configs, judged, strict=True):
        body = {"pipeline": name, "config": config}
        assert _read(rest.post("/api/v1/pipelines/validate", json=body).json()) == told, body


def test_rest_says_the_same_of_configs_keyed_by_pipeline(
    rest: httpx.Client, configs: list[tuple[str, dict[str, Any]]], judged: list[Told]
) -> None:
    for (name, config), told in zip(configs, judged, strict=True):
        body = {"config": {name: config}}
        verdict = rest.post("/api/v1/config/validate", json=body).json()
        assert _read(verdict, f"config.{name}") == told, body


def test_the_command_line_says_the_same(
    stack: StackReady,
    admin_key: str,
    configs: list[tuple[str, dict[str, Any]]],
    judged: list[Told],
) -> None:
    reach = ("--json", "--url", stack.url, "--api-key", admin_key)
    for (name, config), told in zip(configs, judged, strict=True):
        done = CliRunner().invoke(app, ["validate", name, json.dumps(config), *reach])
        assert _read(json.loads(done.stdout)) == told, config
        assert (done.exit_code == 0) == told.valid


def test_a_preset_and_so_the_inbox_sensor_says_the_same(
    configs: list[tuple[str, dict[str, Any]]],
    catalog: Catalog,
    judged: list[Told],
    tmp_path: Path,
) -> None:
    """Of all configs at once, each in a file of its own; JSON is YAML, too."""
    for number, (name, config) in enumerate(configs):
        preset = {"pipelines": [name], "config": {name: config}}
        (tmp_path / f"preset_{number}.yaml").write_text(json.dumps(preset))

    presets = load_presets(tmp_path, catalog)

    for number, ((name, _config), told) in enumerate(zip(configs, judged, strict=True)):
        file = f"preset_{number}.yaml"
        fields = [problem.field for problem in presets.problems if problem.file == file]
        expected = [field.replace("config", f"config.{name}", 1) for field, _code in told.errors]
        assert fields == expected, file
        assert (f"preset_{number}" in presets.usable) == told.valid


def test_dagster_takes_every_good_config(
    configs: list[tuple[str, dict[str, Any]]], judged: list[Told], jobs: dict[str, JobDefinition]
) -> None:
    for (name, config), told in zip(configs, judged, strict=True):
        if told.valid:
            validate_run_config(jobs[name], _run_config(name, config))


def test_the_first_op_of_a_run_says_the_same(
    configs: list[tuple[str, dict[str, Any]]],
    catalog: Catalog,
    jobs: dict[str, JobDefinition],
) -> None:
    """Of configs that Dagster's own types let through; the others never become a run."""
    runs = 0
    with DagsterInstance.ephemeral() as instance:
        for name, config in configs:
            verdict = validate_config(name, config, catalog)
            failure = _first_op(jobs[name], _run_config(name, config), instance)
            if failure is None:
                assert not verdict.valid
                continue
            runs += 1
            if verdict.valid:
                assert failure.code != "INVALID_CONFIG"
            else:
                first = verdict.errors[0]
                assert failure.code == "INVALID_CONFIG"
                assert failure.message == f"{name}: {first.field}: {first.message}"
            if runs == RUNS:
                return
    raise AssertionError(f"only {runs} of the configs became runs")
