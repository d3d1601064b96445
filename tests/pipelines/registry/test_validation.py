"""What the one validator answers: places, codes, messages, hints."""

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from pipelines.errors import ConfigError
from pipelines.registry.catalog import BrokenEntry, Catalog
from pipelines.registry.devices import Device
from pipelines.registry.schema import SchemaUnavailableError
from pipelines.registry.validation import (
    MAX_PROBLEMS,
    normalised_config,
    validate_config,
    validate_configs,
)

GIGABYTE = 1000**3


class Mode(StrEnum):
    FAST = "fast"
    EXACT = "exact"


class Item(BaseModel, extra="forbid"):
    name: Annotated[str, Field(min_length=1, max_length=5, description="What it is called")]
    weight: float = Field(1.0, gt=0)


class Circle(BaseModel, extra="forbid"):
    kind: Literal["circle"] = "circle"
    radius: float


class Square(BaseModel, extra="forbid"):
    kind: Literal["square"] = "square"
    side: float


class Detection(BaseModel, extra="forbid"):
    threshold: float = Field(0.5, ge=0.0, le=1.0)


class Config(BaseModel, extra="forbid"):
    threshold: float = Field(0.5, ge=0.0, le=1.0)
    batch_size: int = Field(8, ge=1, le=64)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    mode: Mode = Mode.FAST
    items: list[Item] = Field([], max_length=3)
    shape: Circle | Square | None = None
    tagged: Annotated[Circle | Square, Field(discriminator="kind")] | None = None
    number_or_text: int | str | None = None
    table: dict[str, int] = {}
    detection: Detection = Detection()
    pair: tuple[int, str] = (1, "a")
    enabled: bool = True
    even: int = 2
    odd: int = 1

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value

    @field_validator("odd")
    @classmethod
    def _is_odd(cls, value: int) -> int:
        return value if value % 2 else {"odd": 1}["even"]


@pytest.fixture
def catalog(catalog_of: Callable[..., Catalog]) -> Catalog:
    return catalog_of(detector=Config, other=Detection)


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


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (float("nan"), "nan is not a number in JSON"),
        (float("-inf"), "-inf is not a number in JSON"),
        (10**5000, "Number out of range"),
        ("\ud800", "Lone surrogate in a string"),
        ({1: 2}, "Keys must be strings"),
        (object(), "Value must be JSON, not object"),
        (b"bytes", "Value must be JSON, not bytes"),
    ],
    ids=["nan", "infinity", "huge", "surrogate", "key", "object", "bytes"],
)
def test_what_is_not_json_is_refused_where_it_stands(
    catalog: Catalog, value: object, message: str
) -> None:
    (error,) = validate_config("detector", {"table": {"a": [0, value]}}, catalog).errors
    assert (error.field, error.message) == ("config.table.a.1", message)


def test_a_config_that_contains_itself_ends_at_the_depth_limit(catalog: Catalog) -> None:
    config: dict[str, Any] = {}
    config["table"] = config
    (error,) = validate_config("detector", config, catalog).errors
    assert error.message == "Nested deeper than 64 levels"


def test_ten_thousand_errors_are_counted_and_a_hundred_of_them_shown(catalog: Catalog) -> None:
    config = {f"field{index}": index for index in range(10_000)}
    verdict = validate_config("detector", config, catalog)
    assert len(verdict.errors) == MAX_PROBLEMS
    assert verdict.warnings[0].message == "9900 more errors are not shown"


def test_a_config_of_very_many_values_is_refused_unread(catalog: Catalog) -> None:
    config = {"table": {f"field{index}": [index] for index in range(20_000)}}
    (error,) = validate_config("detector", config, catalog).errors
    assert (error.field, error.message) == ("config", "More than 20000 values")


def test_huge_names_and_values_are_cut_in_the_answer(catalog: Catalog) -> None:
    config = {"x" * 100_000: 1, "device": "y" * 100_000, "table": {"z" * 100_000: "a"}}
    for error in validate_config("detector", config, catalog).errors:
        assert len(error.field) + len(error.message) + len(error.hint or "") < 2000


def test_half_a_character_raised_by_a_validator_does_not_reach_the_answer(
    catalog_of: Callable[..., Catalog],
) -> None:
    class Rude(BaseModel):
        name: str = "x"

        @field_validator("name")
        @classmethod
        def _refuse(cls, _value: str) -> str:
            raise ValueError("\udc80")

    (error,) = validate_config("rude", {"name": "a"}, catalog_of(rude=Rude)).errors
    assert error.message.encode()


def test_a_defaults_own_error_is_reported_at_the_field(catalog_of: Callable[..., Catalog]) -> None:
    class Careless(BaseModel, validate_default=True):
        share: float = Field(7.0, le=1)

    (error,) = validate_config("careless", {}, catalog_of(careless=Careless)).errors
    assert error.field == "config.share"


def test_an_error_about_several_fields_stands_at_the_config(
    catalog_of: Callable[..., Catalog],
) -> None:
    class Span(BaseModel):
        start: float = 0
        end: float = 1

        @model_validator(mode="after")
        def _in_order(self) -> "Span":
            if self.end < self.start:
                raise ValueError("end lies before start")
            return self

    (error,) = validate_config("span", {"start": 2}, catalog_of(span=Span)).errors
    assert (error.field, error.message) == ("config", "end lies before start")


def test_a_model_without_a_json_schema_is_validated_all_the_same(
    catalog_of: Callable[..., Catalog],
) -> None:
    class Opaque(BaseModel, extra="forbid", arbitrary_types_allowed=True):
        callback: complex | None = None
        handler: type[Exception] | None = None
        share: float = Field(0.5, le=1)

    catalog = catalog_of(opaque=Opaque)
    (error,) = validate_config("opaque", {"share": 2}, catalog).errors
    assert error.field == "config.share"


def test_an_unknown_pipeline_is_an_error_with_the_nearest_and_all_known(catalog: Catalog) -> None:
    (error,) = validate_config("detecter", {}, catalog).errors
    assert (error.field, error.code) == ("pipeline", "PIPELINE_NOT_FOUND")
    assert error.hint == "Did you mean 'detector'? Known pipelines: detector, other"


def test_a_registered_pipeline_that_cannot_be_loaded_has_no_verdict() -> None:
    catalog = Catalog({}, (BrokenEntry("broken", "ImportError: no module named nothing"),))
    with pytest.raises(SchemaUnavailableError, match="no module named nothing"):
        validate_config("broken", {}, catalog)


def test_a_model_that_is_not_fully_defined_has_no_verdict(
    catalog_of: Callable[..., Catalog],
) -> None:
    class Unfinished(BaseModel):
        part: "Nowhere"  # type: ignore[name-defined]  # noqa: F821 - that is the point

    with pytest.raises(SchemaUnavailableError, match="not fully defined"):
        validate_config("unfinished", {}, catalog_of(unfinished=Unfinished))


class TestGpuMemory:
    @pytest.fixture
    def catalog(self, catalog_of: Callable[..., Catalog], card_of: Callable[..., Any]) -> Catalog:
        return catalog_of(
            detector=card_of("detector", Config, lambda config: config.batch_size * GIGABYTE)
        )

    def test_a_config_that_fits_no_device_is_valid_with_a_warning(self, catalog: Catalog) -> None:
        devices = [
            Device("a", "small", 8 * GIGABYTE, 8 * GIGABYTE),
            Device("b", "large", 24 * GIGABYTE, 1 * GIGABYTE),
        ]
        verdict = validate_config("detector", {"batch_size": 25}, catalog, devices)
        assert verdict.valid
        assert [warning.message for warning in verdict.warnings] == [
            "Expected to need 25.0 GB of GPU memory; the largest device here has 24.0 GB"
        ]

    def test_a_config_that_fits_a_device_has_no_warning(self, catalog: Catalog) -> None:
        devices = [Device("a", "small", 8 * GIGABYTE, 0)]
        assert validate_config("detector", {}, catalog, devices).warnings == ()

    def test_without_devices_nothing_is_said(self, catalog: Catalog) -> None:
        assert validate_config("detector", {"batch_size": 64}, catalog, []).warnings == ()


class TestSubmissions:
    def test_paths_name_the_pipeline(self, catalog: Catalog) -> None:
        configs = {"detector": {"threshold": 2}, "other": {"threshold": "x"}}
        verdict = validate_configs(["detector", "other"], configs, catalog)
        assert [error.field for error in verdict.errors] == [
            "config.detector.threshold",
            "config.other.threshold",
        ]

    def test_a_pipeline_without_a_config_gets_its_defaults(self, catalog: Catalog) -> None:
        verdict = validate_configs(["other"], {}, catalog)
        assert verdict.valid
        assert verdict.configs["other"] == Detection()

    def test_unknown_pipelines_are_named_by_their_place_in_the_list(self, catalog: Catalog) -> None:
        verdict = validate_configs(["other", "nope"], {}, catalog, pipelines_field="selected")
        assert [(error.field, error.code) for error in verdict.errors] == [
            ("selected.1", "PIPELINE_NOT_FOUND")
        ]

    def test_pipelines_are_inferred_from_the_configs(self, catalog: Catalog) -> None:
        verdict = validate_configs(None, {"other": {}, "nope": {}}, catalog)
        assert [(error.field, error.code) for error in verdict.errors] == [
            ("config.nope", "PIPELINE_NOT_FOUND")
        ]

    def test_a_config_of_a_pipeline_that_was_not_selected_is_a_warning(
        self, catalog: Catalog
    ) -> None:
        verdict = validate_configs(["other"], {"detector": {"threshold": 9}}, catalog)
        assert verdict.valid
        assert [warning.field for warning in verdict.warnings] == ["config.detector"]
        assert list(verdict.configs) == ["other"]

    @pytest.mark.parametrize("configs", [None, [], "x", 3])
    def test_configs_must_be_keyed_by_pipeline(self, catalog: Catalog, configs: object) -> None:
        (error,) = validate_configs(["other"], configs, catalog).errors
        assert (error.field, error.code) == ("config", "INVALID_TYPE")

    @pytest.mark.parametrize(
        ("selected", "number", "field"), [(None, 200_000, "config"), (["detector"], 101, "config")]
    )
    def test_more_configs_than_anybody_means_are_refused_unjudged(
        self, catalog: Catalog, selected: list[str] | None, number: int, field: str
    ) -> None:
        configs = {f"name{index}": 1 for index in range(number)}
        (error,) = validate_configs(selected, configs, catalog).errors
        assert (error.field, error.code) == (field, "VALUE_OUT_OF_RANGE")
        assert error.message == "More than 100 pipelines"

    def test_more_names_than_anybody_means_are_refused_unjudged(self, catalog: Catalog) -> None:
        names = [f"name{index}" for index in range(200_000)]
        (error,) = validate_configs(names, {}, catalog, pipelines_field="selected").errors
        assert (error.field, error.message) == ("selected", "More than 100 pipelines")

    def test_a_name_is_judged_once_where_it_stands_first(self, catalog: Catalog) -> None:
        names = ["detector"] * 100_000 + ["detectr"] * 100_000
        (error,) = validate_configs(names, {}, catalog).errors
        assert (error.field, error.code) == ("pipelines.100000", "PIPELINE_NOT_FOUND")

    def test_errors_of_all_pipelines_together_are_bounded(self, catalog: Catalog) -> None:
        many = {f"field{index}": 1 for index in range(80)}
        verdict = validate_configs(None, {"detector": many, "other": many}, catalog)
        assert len(verdict.errors) == MAX_PROBLEMS
        assert verdict.warnings[-1].message == "60 more errors are not shown"


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
