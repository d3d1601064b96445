"""What the one validator answers: places, codes, messages, hints."""

from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.errors import ConfigError
from pipelines.registry.catalog import Catalog
from pipelines.registry.validation import normalised_config, validate_config
from tests.pipelines.registry.detector import Config, Mode


def errors(config: Any, catalog: Catalog) -> list[tuple[str, str, str, str | None]]:
    verdict = validate_config("detector", config, catalog)
    return [(error.field, error.code, error.message, error.hint) for error in verdict.errors]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (
            {"threshold": 1.5},
            (
                "config.threshold",
                "VALUE_OUT_OF_RANGE",
                "Value must be between 0.0 and 1.0",
                "Use a value like 0.5",
            ),
        ),
        (
            {"detection": {"threshold": -1}},
            (
                "config.detection.threshold",
                "VALUE_OUT_OF_RANGE",
                "Value must be between 0.0 and 1.0",
                "Use a value like 0.5",
            ),
        ),
        (
            {"batch_size": 0},
            (
                "config.batch_size",
                "VALUE_OUT_OF_RANGE",
                "Value must be between 1 and 64",
                "Use a value like 8",
            ),
        ),
        (
            {"items": [{"name": "a", "weight": 0}]},
            (
                "config.items.0.weight",
                "VALUE_OUT_OF_RANGE",
                "Value must be greater than 0.0",
                "Use a value like 1.0",
            ),
        ),
        (
            {"items": [{"name": "a"}] * 4},
            ("config.items", "VALUE_OUT_OF_RANGE", "Value must have at most 3 items", None),
        ),
        (
            {"items": [{"name": "toolong"}]},
            (
                "config.items.0.name",
                "VALUE_OUT_OF_RANGE",
                "Value must have between 1 and 5 characters",
                None,
            ),
        ),
        (
            {"items": [{}]},
            (
                "config.items.0.name",
                "MISSING_REQUIRED_FIELD",
                "Field is required",
                "Add 'name': What it is called",
            ),
        ),
        (
            {"treshold": 0.5},
            ("config.treshold", "UNKNOWN_FIELD", "Unknown field", "Did you mean 'threshold'?"),
        ),
        (
            {"detection": {"zzz": 1}},
            ("config.detection.zzz", "UNKNOWN_FIELD", "Unknown field", "Known fields: threshold"),
        ),
        (
            {"device": "gpu"},
            (
                "config.device",
                "INVALID_CHOICE",
                "Value must be one of: auto, cpu, cuda",
                "Did you mean 'cpu'?",
            ),
        ),
        (
            {"mode": 3},
            (
                "config.mode",
                "INVALID_CHOICE",
                "Value must be one of: fast, exact",
                'Use a value like "fast"',
            ),
        ),
        (
            {"tagged": {"kind": "triangle"}},
            (
                "config.tagged.kind",
                "INVALID_CHOICE",
                "Value must be one of: circle, square",
                'Use a value like "circle"',
            ),
        ),
        (
            {"tagged": {}},
            ("config.tagged.kind", "MISSING_REQUIRED_FIELD", "Field is required", "Add 'kind'"),
        ),
        (
            {"threshold": "0.7"},
            (
                "config.threshold",
                "INVALID_TYPE",
                "Value must be a number, not a string",
                "Write 0.7 without quotes",
            ),
        ),
        (
            {"number_or_text": []},
            (
                "config.number_or_text",
                "INVALID_TYPE",
                "Value must be an integer or a string, not a list",
                None,
            ),
        ),
        (
            {"pair": [1]},
            (
                "config.pair.1",
                "MISSING_REQUIRED_FIELD",
                "Field is required",
                "Add the missing item",
            ),
        ),
        (
            {"table": {"a": "x"}},
            ("config.table.a", "INVALID_TYPE", "Value must be an integer, not a string", None),
        ),
        ({"even": 3}, ("config.even", "INVALID_VALUE", "must be even", "Use a value like 2")),
        (
            {"odd": 2},
            (
                "config",
                "INVALID_VALUE",
                "The pipeline's own validation failed: KeyError: 'even'",
                None,
            ),
        ),
        (
            [1],
            ("config", "INVALID_TYPE", "Value must be an object, not a list", None),
        ),
        (
            None,
            ("config", "INVALID_TYPE", "Value must be an object, not null", None),
        ),
    ],
    ids=repr,
)
def test_an_error_names_the_place_the_code_the_limits_and_a_way_out(
    catalog: Catalog, config: Any, expected: tuple[str, str, str, str | None]
) -> None:
    assert errors(config, catalog) == [expected]


@pytest.mark.parametrize(
    "config",
    [
        {"threshold": True},
        {"threshold": "0.5"},
        {"batch_size": 8.0},
        {"batch_size": False},
        {"enabled": 1},
        {"enabled": "true"},
        {"items": {}},
        {"mode": None},
    ],
    ids=repr,
)
def test_types_are_those_of_json_and_nothing_is_converted(
    catalog: Catalog, config: dict[str, Any]
) -> None:
    assert [error.field for error in validate_config("detector", config, catalog).errors] == [
        f"config.{next(iter(config))}"
    ]


def test_an_integer_is_a_number(catalog: Catalog) -> None:
    assert validate_config("detector", {"threshold": 1}, catalog).valid


def test_every_error_is_reported_at_once_in_the_order_of_the_fields(catalog: Catalog) -> None:
    config = {"zzz": 1, "even": 1, "items": [{"nam": "a"}], "batch_size": 99, "threshold": 2}
    assert [field for field, *_ in errors(config, catalog)] == [
        "config.threshold",
        "config.batch_size",
        "config.items.0.name",
        "config.items.0.nam",
        "config.even",
        "config.zzz",
    ]


def test_of_a_union_only_the_branch_that_was_meant_complains(catalog: Catalog) -> None:
    assert errors({"shape": {"radius": "x"}}, catalog) == [
        ("config.shape.radius", "INVALID_TYPE", "Value must be a number, not a string", None)
    ]


def test_an_unknown_pipeline_is_an_error_with_the_nearest_and_all_known(catalog: Catalog) -> None:
    (error,) = validate_config("detecter", {}, catalog).errors
    assert (error.field, error.code) == ("pipeline", "PIPELINE_NOT_FOUND")
    assert error.hint == "Did you mean 'detector'? Known pipelines: detector, other"


def test_the_normalised_config_has_the_defaults_filled_in(catalog: Catalog) -> None:
    config = normalised_config("detector", {"mode": "exact"}, catalog)
    assert config == Config(mode=Mode.EXACT)


def test_a_config_that_is_not_valid_cannot_be_normalised(catalog: Catalog) -> None:
    with pytest.raises(ConfigError, match=r"config\.threshold: Value must be between") as caught:
        normalised_config("detector", {"threshold": 2}, catalog)
    assert caught.value.hint == "Use a value like 0.5"


def test_the_models_own_lenient_reading_would_have_let_this_pass() -> None:
    """Guards the strictness tests above against a model that is strict by itself."""
    try:
        Config.model_validate({"threshold": "0.5", "batch_size": 8.0})
    except ValidationError:
        pytest.fail("the model is strict by itself")
