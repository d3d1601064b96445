"""What a run needs, whatever its config says or does not say."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from dagster import DagsterRun

from contracts.run import PIPELINES_TAG, PRESET_TAG
from orchestration.launcher.resource_request import presets_now, resource_request_of
from pipelines.registry.catalog import Catalog, load_catalog


def _run(pipeline: str = "scene_detection", preset: str = "", **config: Any) -> DagsterRun:
    tags = {PIPELINES_TAG: pipeline} | ({PRESET_TAG: preset} if preset else {})
    return DagsterRun(pipeline, run_config={"ops": {pipeline: {"config": config}}}, tags=tags)


@pytest.fixture
def catalog() -> Catalog:
    return load_catalog()


def test_a_larger_batch_needs_more(catalog: Catalog) -> None:
    few, many = (resource_request_of(_run(batch_size=size), catalog, {}) for size in (1, 8))

    assert 0 < few.memory < many.memory


def test_who_asks_for_the_processor_needs_no_gpu_but_a_slot(catalog: Catalog) -> None:
    need = resource_request_of(_run(device="cpu"), catalog, {})

    assert need.memory == 0
    assert need.takes_slot


def test_who_never_uses_a_gpu_needs_no_slot(catalog: Catalog) -> None:
    assert not resource_request_of(_run("speech_activity"), catalog, {}).takes_slot


def test_a_config_that_is_wrong_is_left_to_the_first_op(catalog: Catalog) -> None:
    assert resource_request_of(_run(batch_size="many"), catalog, {}).memory == 0


def test_what_was_left_out_in_a_run_of_a_preset_is_the_presets(
    catalog: Catalog, tmp_path: Path
) -> None:
    preset = tmp_path / "large.yaml"
    preset.write_text(
        "pipelines: [scene_detection]\nconfig:\n  scene_detection:\n    batch_size: 8\n"
    )
    by_itself = resource_request_of(_run(batch_size=8), catalog, {})

    need = resource_request_of(_run(preset="large"), catalog, presets_now(tmp_path))

    assert need == by_itself
    submitted = resource_request_of(
        _run(preset="large", batch_size=1), catalog, presets_now(tmp_path)
    )
    assert submitted.memory < need.memory


def test_a_preset_is_read_again_when_it_changes(tmp_path: Path) -> None:
    assert presets_now(tmp_path) == {}

    (tmp_path / "night.yaml").write_text("pipelines: [scene_detection]\n")

    assert list(presets_now(tmp_path)) == ["night"]


def test_an_estimate_that_fails_counts_for_nothing(catalog: Catalog) -> None:
    def fail(_config: Any) -> int:
        raise ZeroDivisionError

    broken = replace(catalog.cards["scene_detection"], gpu_memory=fail)

    need = resource_request_of(_run(), Catalog({"scene_detection": broken}), {})

    assert need.memory == 0
