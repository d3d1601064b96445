"""A verdict as HTTP says it. Keys without a value are left out."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Literal

from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import to_json

from pipelines.registry.problems import Problem, ProblemCode
from pipelines.registry.validation import Verdict


class ConfigError(BaseModel):
    field: str = Field(description="Dotted path, such as `config.items.0.name`.")
    message: str
    code: ProblemCode
    hint: str | SkipJsonSchema[None] = None


class ConfigWarning(BaseModel):
    """The config is usable, but probably not what was meant."""

    field: str
    message: str
    suggestion: str | SkipJsonSchema[None] = None


class ValidationResult(BaseModel):
    valid: bool
    errors: list[ConfigError]
    warnings: list[ConfigWarning]


class SevereConfigError(ConfigError):
    error_code: ProblemCode
    severity: Literal["error"]


class ConfigsValidationResult(BaseModel):
    valid: bool
    errors: list[SevereConfigError]
    warnings: list[ConfigWarning]


def encode(verdict: Verdict, *, with_severity: bool = False) -> bytes:
    """The JSON of a `ValidationResult`, or of a `ConfigsValidationResult` with severity."""
    return to_json(
        {
            "valid": verdict.valid,
            "errors": [_error(error, with_severity=with_severity) for error in verdict.errors],
            "warnings": [_present(asdict(warning)) for warning in verdict.warnings],
        }
    )


def _error(error: Problem, *, with_severity: bool) -> dict[str, Any]:
    fields = _present(asdict(error))
    return fields | {"error_code": error.code, "severity": "error"} if with_severity else fields


def _present(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
