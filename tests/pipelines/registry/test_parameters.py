from enum import Enum
from typing import Literal

import pytest
from pydantic import BaseModel, Field, create_model

from pipelines.registry.parameters import Parameter, parameters_of


class Speed(Enum):
    SLOW = "slow"
    FAST = "fast"


class Inner(BaseModel):
    size: int = 1


class Config(BaseModel):
    threshold: float = Field(
        0.5,
        ge=0,
        le=1,
        description="How sure to be",
        title="Confidence",
        json_schema_extra={"group": "Detection", "advanced": True},
    )
    batch_size: int = Field(8, gt=0, lt=65)
    sample_rate: float | None = Field(None, gt=0)
    every: int = Field(2, multiple_of=2)
    name: str
    enabled: bool = True
    speed: Speed = Speed.FAST
    device: Literal["auto", "cpu"] = "auto"
    classes: list[Literal["face", "body"]] = ["face"]
    inner: Inner = Inner()
    mixed: int | str = 1


def parameter(name: str) -> Parameter:
    return next(one for one in parameters_of(Config) if one.name == name)


def test_parameters_stand_in_the_order_of_the_fields() -> None:
    assert [one.name for one in parameters_of(Config)] == list(Config.model_fields)


def test_a_limited_number_becomes_all_that_a_slider_needs() -> None:
    assert parameter("threshold") == Parameter(
        name="threshold",
        type="number",
        label="Confidence",
        description="How sure to be",
        required=False,
        default=0.5,
        group="Detection",
        advanced=True,
        minimum=0,
        maximum=1,
        step=0.01,
    )


def test_excluded_limits_of_an_integer_are_the_next_ones() -> None:
    batch = parameter("batch_size")
    assert (batch.type, batch.minimum, batch.maximum, batch.step) == ("integer", 1, 64, 1)


def test_an_optional_field_has_the_type_of_its_value() -> None:
    rate = parameter("sample_rate")
    assert (rate.type, rate.required, rate.default, rate.minimum) == ("number", False, None, 0)


def test_a_multiple_is_the_step() -> None:
    assert parameter("every").step == 2


def test_a_field_without_default_is_required() -> None:
    assert parameter("name").required
    assert parameter("name").label == "Name"


def test_choices_of_literals_and_enums_are_listed() -> None:
    assert (parameter("speed").type, parameter("speed").choices) == ("enum", ("slow", "fast"))
    assert parameter("speed").default == "fast"
    assert (parameter("device").type, parameter("device").choices) == ("enum", ("auto", "cpu"))


def test_a_list_of_choices_is_a_multiselect() -> None:
    classes = parameter("classes")
    assert (classes.type, classes.choices, classes.default) == (
        "multiselect",
        ("face", "body"),
        ["face"],
    )


def test_what_has_no_control_of_its_own_is_an_object() -> None:
    assert parameter("inner").type == "object"
    assert parameter("inner").default == {"size": 1}
    assert parameter("mixed").type == "object"
    assert parameter("enabled").type == "boolean"


@pytest.mark.parametrize(
    ("default", "minimum", "maximum", "step"),
    [
        (0.4, 0.0, 3600.0, 0.1),
        (0.05, 0.0, 1.0, 0.01),
        (5.0, 0.0, 240.0, 1.0),
        (600.0, 0.0, 3600.0, 10.0),
        (0.5, 0.25, 100.0, 0.01),
        (0.4, None, None, 0.1),
    ],
)
def test_the_default_can_be_reached_by_steps_from_the_minimum(
    default: float, minimum: float | None, maximum: float | None, step: float
) -> None:
    model = create_model("Config", field=(float, Field(default, ge=minimum, le=maximum)))
    assert parameters_of(model)[0].step == step
