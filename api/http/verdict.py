"""The validator's verdict in HTTP's form. Keys without a value are left out."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import to_json

from pipelines.registry.problems import Caution, Problem, ProblemCode
from pipelines.registry.validation import Verdict


class ConfigError(BaseModel):
    field: str = Field(description="Dotted path, such as `config.items.0.name`.")
    message: str
    code: ProblemCode
    hint: str | SkipJsonSchema[None] = None
    error_code: ProblemCode = Field(description="The same as `code`, as existing clients call it.")
    severity: Literal["error"]


class ConfigWarning(BaseModel):
    """The config is usable, but probably not what was meant."""

    field: str
    message: str
    suggestion: str | SkipJsonSchema[None] = None
    severity: Literal["warning"]


class ValidationResult(BaseModel):
    valid: bool
    errors: list[ConfigError]
    warnings: list[ConfigWarning]


def encode(verdict: Verdict) -> bytes:
    """The JSON of a `ValidationResult`."""
    return to_json(
        {
            "valid": verdict.valid,
            "errors": [_error(error) for error in verdict.errors],
            "warnings": [_warning(warning) for warning in verdict.warnings],
        }
    )


def _error(error: Problem) -> dict[str, Any]:
    return _present(asdict(error)) | {"error_code": error.code, "severity": "error"}


def _warning(warning: Caution) -> dict[str, Any]:
    return _present(asdict(warning)) | {"severity": "warning"}


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
