"""The verdict on a submission: several pipelines, each with its config."""

import pytest

from pipelines.registry.catalog import Catalog
from pipelines.registry.validation import MAX_PROBLEMS, validate_configs
from tests.pipelines.registry.detector import Detection


def test_paths_name_the_pipeline(catalog: Catalog) -> None:
    configs = {"detector": {"threshold": 2}, "other": {"threshold": "x"}}
    verdict = validate_configs(["detector", "other"], configs, catalog)
    assert [error.field for error in verdict.errors] == [
        "config.detector.threshold",
        "config.other.threshold",
    ]


def test_a_pipeline_without_a_config_gets_its_defaults(catalog: Catalog) -> None:
    verdict = validate_configs(["other"], {}, catalog)
    assert verdict.valid
    assert verdict.configs["other"] == Detection()


def test_unknown_pipelines_are_named_by_their_place_in_the_list(catalog: Catalog) -> None:
    verdict = validate_configs(["other", "nope"], {}, catalog, pipelines_field="selected")
    assert [(error.field, error.code) for error in verdict.errors] == [
        ("selected.1", "PIPELINE_NOT_FOUND")
    ]


def test_pipelines_are_inferred_from_the_configs(catalog: Catalog) -> None:
    verdict = validate_configs(None, {"other": {}, "nope": {}}, catalog)
    assert [(error.field, error.code) for error in verdict.errors] == [
        ("config.nope", "PIPELINE_NOT_FOUND")
    ]


def test_a_config_of_a_pipeline_that_was_not_selected_is_an_error(catalog: Catalog) -> None:
    (error,) = validate_configs(["other"], {"detector": {"threshold": 9}}, catalog).errors
    assert (error.field, error.code) == ("config.detector", "INVALID_VALUE")
    assert "'detector' is not selected" in error.message


@pytest.mark.parametrize("configs", [None, [], "x", 3])
def test_configs_must_be_keyed_by_pipeline(catalog: Catalog, configs: object) -> None:
    (error,) = validate_configs(["other"], configs, catalog).errors
    assert (error.field, error.code) == ("config", "INVALID_TYPE")


@pytest.mark.parametrize(
    ("selected", "number", "field"), [(None, 200_000, "config"), (["detector"], 101, "config")]
)
def test_more_configs_than_anybody_means_are_refused_unjudged(
    catalog: Catalog, selected: list[str] | None, number: int, field: str
) -> None:
    configs = {f"name{index}": 1 for index in range(number)}
    (error,) = validate_configs(selected, configs, catalog).errors
    assert (error.field, error.code) == (field, "VALUE_OUT_OF_RANGE")
    assert error.message == "More than 100 pipelines"


def test_more_names_than_anybody_means_are_refused_unjudged(catalog: Catalog) -> None:
    names = [f"name{index}" for index in range(200_000)]
    (error,) = validate_configs(names, {}, catalog, pipelines_field="selected").errors
    assert (error.field, error.message) == ("selected", "More than 100 pipelines")


def test_a_name_is_judged_once_where_it_stands_first(catalog: Catalog) -> None:
    names = ["detector"] * 100_000 + ["detectr"] * 100_000
    (error,) = validate_configs(names, {}, catalog).errors
    assert (error.field, error.code) == ("pipelines.100000", "PIPELINE_NOT_FOUND")


def test_errors_of_all_pipelines_together_are_bounded(catalog: Catalog) -> None:
    many = {f"field{index}": 1 for index in range(80)}
    verdict = validate_configs(None, {"detector": many, "other": many}, catalog)
    assert len(verdict.errors) == MAX_PROBLEMS
    assert verdict.warnings[-1].message == "60 more errors are not shown"
