"""Third parties' config models that are rude, careless or unfinished."""

from collections.abc import Callable

import pytest
from pydantic import BaseModel, Field, field_validator, model_validator

from pipelines.registry.catalog import BrokenEntry, Catalog
from pipelines.registry.schema import SchemaUnavailableError
from pipelines.registry.validation import validate_config


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
