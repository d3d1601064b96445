"""Is a config usable? Three addresses, one verdict."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field

from api.dependencies import CurrentServices, Reader, Services
from api.errors import InvalidRequestError, PipelineNotFoundError, ValidationUnavailableError
from api.http.json_body import off_event_loop, read_json, require_field, require_object
from api.http.responses import KEYED, WITH_BODY, errors
from api.http.verdict import ValidationResult, encode
from pipelines.registry.problems import ProblemCode
from pipelines.registry.schema import SchemaUnavailableError
from pipelines.registry.validation import Verdict, validate_config, validate_configs

router = APIRouter(prefix="/api/v1", tags=["validation"])

#: A verdict on the worst that can be posted takes a fifth of a second.
_MAX_BYTES = 500_000
_ERRORS = (*KEYED, *WITH_BODY, ValidationUnavailableError)


class PipelineValidationRequest(BaseModel):
    config: Any = Field(description="What is not an object is reported as INVALID_TYPE.")


class ValidationRequest(PipelineValidationRequest):
    pipeline: str


class ConfigsValidationRequest(BaseModel):
    config: Any = Field(description="Configs by pipeline.")
    selected_pipelines: list[str] | str | None = None


def _documented(body: type[BaseModel]) -> dict[str, Any]:
    """The body for `/openapi.json`; reading it ourselves is faster, and stricter."""
    content = {"application/json": {"schema": body.model_json_schema()}}
    return {"requestBody": {"required": True, "content": content}}


@router.post(
    "/pipelines/validate",
    operation_id="validateConfig",
    response_model=ValidationResult,
    responses=errors(*_ERRORS),
    openapi_extra=_documented(ValidationRequest),
)
async def validate(request: Request, _reader: Reader, services: CurrentServices) -> Response:
    body, length = await _body(request, services)
    pipeline = require_field(body, "pipeline")
    if not isinstance(pipeline, str):
        raise InvalidRequestError("'pipeline' must be a string.", field="pipeline")
    config = require_field(body, "config")
    devices = await services.devices.current()
    verdict = await _judge(
        request, lambda: validate_config(pipeline, config, services.catalog, devices), length
    )
    return _answer(encode(verdict))


@router.post(
    "/pipelines/{name}/validate",
    operation_id="validatePipelineConfig",
    response_model=ValidationResult,
    responses=errors(*_ERRORS, PipelineNotFoundError),
    openapi_extra=_documented(PipelineValidationRequest),
)
async def validate_named(
    request: Request, name: str, _reader: Reader, services: CurrentServices
) -> Response:
    body, length = await _body(request, services)
    config = require_field(body, "config")
    devices = await services.devices.current()
    verdict = await _judge(
        request, lambda: validate_config(name, config, services.catalog, devices), length
    )
    for error in verdict.errors:
        if error.code is ProblemCode.PIPELINE_NOT_FOUND:
            raise PipelineNotFoundError(error.message, hint=error.hint)
    return _answer(encode(verdict))


@router.post(
    "/config/validate",
    operation_id="validateConfigs",
    response_model=ValidationResult,
    responses=errors(*_ERRORS),
    openapi_extra=_documented(ConfigsValidationRequest),
)
async def validate_several(
    request: Request, _reader: Reader, services: CurrentServices
) -> Response:
    body, length = await _body(request, services)
    configs = require_field(body, "config")
    selected = _selected(body.get("selected_pipelines"))
    devices = await services.devices.current()
    verdict = await _judge(
        request,
        lambda: validate_configs(
            selected, configs, services.catalog, devices, pipelines_field="selected_pipelines"
        ),
        length,
    )
    return _answer(encode(verdict))


async def _body(request: Request, services: Services) -> tuple[dict[str, Any], int]:
    limit = min(_MAX_BYTES, services.settings.max_json_bytes)
    value, length = await read_json(request, limit)
    return require_object(value), length


def _selected(value: Any) -> list[str] | None:
    """Raises InvalidRequestError unless it is names, as a list or separated by commas."""
    if value is None:
        return None
    if isinstance(value, str):
        return [name.strip() for name in value.split(",") if name.strip()]
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    raise InvalidRequestError(
        "'selected_pipelines' must be a list of names, or names separated by commas.",
        field="selected_pipelines",
    )


async def _judge(request: Request, judge: Callable[[], Verdict], length: int) -> Verdict:
    """Raises ValidationUnavailableError."""
    try:
        return await off_event_loop(request, judge, length)
    except SchemaUnavailableError as error:
        raise ValidationUnavailableError(
            str(error), hint="GET /api/v1/health?detailed=true lists what cannot be loaded."
        ) from error


def _answer(content: bytes) -> Response:
    return Response(content, media_type="application/json")
