"""Configs that no JSON could hold, and ones that are huge: refused at once, in few words."""

from typing import Any

import pytest

from pipelines.registry.catalog import Catalog
from pipelines.registry.validation import MAX_PROBLEMS, validate_config


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
