from enum import StrEnum
from typing import Any, Literal

import pytest
from dagster import DagsterInvalidConfigError, job, op, validate_run_config
from pydantic import BaseModel, Field

from orchestration.annotation.config_schema import config_schema


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Nested(BaseModel):
    name: str = Field(default="x", description="A name.")


class Example(BaseModel):
    threshold: float = Field(default=0.5, ge=0, le=1, description="How sure.")
    count: int = 3
    flag: bool = False
    colour: Colour = Colour.RED
    device: Literal["auto", "cpu"] = "auto"
    maybe: float | None = None
    either: int | str = 1
    nested: Nested = Nested()
    items: list[Nested] = []
    step: float | None = Field(default=None, gt=0)
    needed: str


def _accepts(config: dict[str, Any]) -> bool:
    @op(config_schema=config_schema(Example))
    def example() -> None: ...

    @job
    def examples() -> None:
        example()

    try:
        validate_run_config(examples, {"ops": {"example": {"config": config}}})
    except DagsterInvalidConfigError:
        return False
    return True


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"threshold": 0.1, "count": 1, "flag": True},
        {"colour": "blue", "device": "cpu"},
        {"maybe": None},
        {"maybe": 1.5},
        {"either": "text"},
        {"either": 4},
        {"nested": {"name": "y"}},
        {"items": [{"name": "y"}, {}]},
    ],
)
def test_the_launchpad_takes_what_the_model_takes(config: dict[str, Any]) -> None:
    Example.model_validate({**config, "needed": "here"})

    assert _accepts({**config, "needed": "here"})


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"needed": "here", "threshold": "high"},
        {"needed": "here", "colour": "green"},
        {"needed": "here", "unknown": 1},
        {"needed": "here", "nested": {"unknown": 1}},
        {"needed": "here", "items": {}},
    ],
)
def test_the_launchpad_refuses_wrong_types_choices_and_names(config: dict[str, Any]) -> None:
    assert not _accepts(config)


@pytest.mark.parametrize("config", [{"threshold": 1.01}, {"threshold": -1}, {"step": 0}])
def test_no_run_starts_with_a_number_beyond_its_limits(config: dict[str, Any]) -> None:
    assert not _accepts({**config, "needed": "here"})


@pytest.mark.parametrize("config", [{"threshold": 1}, {"threshold": 0.0}, {"step": None}])
def test_limits_themselves_are_within(config: dict[str, Any]) -> None:
    assert _accepts({**config, "needed": "here"})


@pytest.mark.parametrize(
    ("name", "type_name"),
    [
        ("threshold", "Float, at least 0, at most 1"),
        ("count", "Int"),
        ("device", "auto | cpu"),
        ("colour", "red | blue"),
    ],
)
def test_the_launchpad_says_what_may_be_set(name: str, type_name: str) -> None:
    assert config_schema(Example).fields[name].config_type.given_name == type_name


def test_the_launchpad_has_defaults_and_descriptions() -> None:
    field = config_schema(Example).fields["threshold"]

    assert field.description == "How sure."
    assert field.default_value == 0.5
