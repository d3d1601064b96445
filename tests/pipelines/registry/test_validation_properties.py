"""Whatever is posted: a verdict, never a crash; and the verdict is the model's own."""

import json
from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field, ValidationError

from pipelines.registry.catalog import Catalog
from pipelines.registry.validation import Verdict, validate_config, validate_configs


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Leaf(BaseModel, extra="forbid"):
    kind: Literal["leaf"] = "leaf"
    size: int = Field(1, ge=0, lt=10)


class Branch(BaseModel, extra="forbid"):
    kind: Literal["branch"] = "branch"
    leaves: list[Leaf] = Field([], max_length=2)
    inner: "Branch | None" = None


class Tree(BaseModel, extra="forbid"):
    share: float = Field(0.5, ge=0, le=1)
    count: int = 1
    name: Annotated[str, Field(pattern="^[a-z]*$", max_length=4)] = ""
    colour: Colour = Colour.RED
    part: Leaf | Branch | int | None = None
    tagged: Annotated[Leaf | Branch, Field(discriminator="kind")] | None = None
    table: dict[str, list[float | bool]] = {}
    pair: tuple[int, str] | None = None


NAMES = st.sampled_from(
    [*Tree.model_fields, *Branch.model_fields, *Leaf.model_fields, "leaf", "branch", "int"]
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["leaf", "branch", "red", "a"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5)
    ),
    max_leaves=20,
)
JSON_TREES = st.dictionaries(
    st.sampled_from(list(Tree.model_fields)),
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-2, 12)
        | st.floats(-1, 2)
        | st.sampled_from(["leaf", "branch", "red", "a"]),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
        max_leaves=12,
    ),
)

relaxed = settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def catalog(catalog_of: Callable[..., Catalog]) -> Catalog:
    return catalog_of(tree=Tree)


def check_shape(verdict: Verdict, prefix: str) -> None:
    assert verdict.valid == (not verdict.errors)
    for error in verdict.errors:
        assert error.field == prefix or error.field.startswith(f"{prefix}.")
        assert error.message.strip()
        assert error.field.encode()
        assert error.message.encode()
        assert error.hint is None or error.hint.encode()


@relaxed
@given(VALUES)
def test_anything_gets_a_verdict(catalog: Catalog, config: object) -> None:
    check_shape(validate_config("tree", config, catalog), "config")


@relaxed
@given(VALUES)
def test_any_configs_by_pipeline_get_a_verdict(catalog: Catalog, configs: object) -> None:
    check_shape(validate_configs(None, configs, catalog), "config")


@relaxed
@given(JSON_TREES)
def test_a_config_is_valid_exactly_when_its_model_says_so(
    catalog: Catalog, config: dict[str, Any]
) -> None:
    verdict = validate_config("tree", config, catalog)
    try:
        model = Tree.model_validate_json(json.dumps(config), strict=True)
    except ValidationError:
        assert not verdict.valid
    else:
        assert verdict.configs == {"tree": model}


@relaxed
@given(JSON_TREES)
def test_the_same_config_gets_the_same_verdict(catalog: Catalog, config: dict[str, Any]) -> None:
    first = validate_config("tree", config, catalog)
    assert first == validate_config("tree", config, catalog)


@relaxed
@given(JSON_TREES)
def test_every_reported_place_leads_into_the_config_or_one_step_beyond(
    catalog: Catalog, config: dict[str, Any]
) -> None:
    for error in validate_config("tree", config, catalog).errors:
        value: Any = config
        steps = error.field.split(".")[1:]
        for index, step in enumerate(steps):
            inside = value if not isinstance(value, list) else dict(enumerate(map(str, value)))
            known = (
                step in value
                if isinstance(value, dict)
                else isinstance(value, list) and int(step) in inside
            )
            if not known:
                assert index == len(steps) - 1, error.field
                assert error.code == "MISSING_REQUIRED_FIELD"
                break
            value = value[step] if isinstance(value, dict) else value[int(step)]
