"""What a submission means: which pipelines run, with which config, and what is refused."""

from typing import Any

import pytest

from api.errors import (
    GpuOutOfMemoryError,
    InvalidConfigError,
    InvalidRequestError,
    PipelineNotFoundError,
)
from api.http.schemas import JobSubmission
from api.submissions.plan import plan
from pipelines.registry.catalog import load_catalog
from pipelines.registry.devices import Device


def _decide(devices: tuple[Device, ...] = (), **body: Any) -> Any:
    return plan(
        JobSubmission(media="m", **body), load_catalog(), devices, pipelines_field="pipelines"
    )


def test_without_a_selection_every_pipeline_that_is_on_by_default_runs() -> None:
    names = [card.name for card in load_catalog().cards.values() if card.default_enabled]
    assert list(_decide().pipelines) == names


def test_a_pipeline_named_twice_runs_once() -> None:
    assert _decide(pipelines=["speech_activity"] * 2).pipelines == ("speech_activity",)


def test_selecting_nothing_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="No pipeline"):
        _decide(pipelines=[])


def test_the_config_of_a_pipeline_that_is_not_selected_is_refused_by_name() -> None:
    config = {"speech_activity": {}, "scene_detection": {}}
    with pytest.raises(InvalidConfigError, match="'scene_detection' is not selected") as caught:
        _decide(pipelines=["speech_activity"], config=config)
    assert caught.value.field == "config.scene_detection"


def test_all_errors_of_all_configs_come_at_once_with_their_places() -> None:
    config = {"speech_activity": {"threshold": 7}, "scene_detection": {"treshold": 0.5}}
    with pytest.raises(PipelineNotFoundError) as caught:
        _decide(pipelines=["speech_activity", "scene_detection", "faces"], config=config)
    errors = caught.value.detail["errors"]
    assert [(error["field"], error["code"]) for error in errors] == [
        ("config.speech_activity.threshold", "VALUE_OUT_OF_RANGE"),
        ("config.scene_detection.treshold", "UNKNOWN_FIELD"),
        ("pipelines.2", "PIPELINE_NOT_FOUND"),
    ]
    assert caught.value.field == errors[2]["field"]
    assert caught.value.hint == errors[2]["hint"]


def test_the_first_error_names_the_field_where_every_pipeline_is_known() -> None:
    with pytest.raises(InvalidConfigError) as caught:
        _decide(pipelines=["speech_activity"], config={"speech_activity": {"threshold": 7}})
    assert caught.value.field == caught.value.detail["errors"][0]["field"]


def test_what_no_device_can_ever_hold_is_refused_with_both_sizes() -> None:
    tiny = (Device("GPU-1", "tiny", memory_total=1000, memory_free=1000),)
    with pytest.raises(GpuOutOfMemoryError) as caught:
        _decide(tiny, pipelines=["scene_detection"])
    assert set(caught.value.detail) == {"required_gb", "available_gb"}
    assert _decide(
        tiny, pipelines=["scene_detection"], config={"scene_detection": {"device": "cpu"}}
    )
