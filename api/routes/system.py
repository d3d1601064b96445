"""Health at the addresses, and in the words, of existing clients."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api.auth.roles import Principal
from api.dagster.client import RUNNING
from api.dagster.run import RunFilter
from api.dependencies import CurrentServices, Public, Services, Visitor
from api.errors import (
    DatabaseUnavailableError,
    ForbiddenError,
    InternalServerError,
    InvalidRequestError,
    RateLimitedError,
    UnauthorizedError,
)
from api.health.check import VERSION
from api.health.deadline import ProbeError
from api.health.system import API_VERSION, SystemHealth, tell
from api.http.responses import errors
from contracts.run import KIND, KIND_TAG

router = APIRouter(tags=["health"])

_MAX_NAMED_JOBS = 100


class ServiceHealth(BaseModel):
    status: Literal["healthy"]
    api_version: str
    version: str


@router.head("/health", include_in_schema=False)
@router.get(
    "/health",
    operation_id="getServiceHealth",
    responses=errors(InvalidRequestError, InternalServerError),
)
async def service_health(_public: Public) -> ServiceHealth:
    return ServiceHealth(status="healthy", api_version=API_VERSION, version=VERSION)


@router.head("/api/v1/system/health", include_in_schema=False)
@router.get(
    "/api/v1/system/health",
    operation_id="getSystemHealth",
    response_model_exclude_none=True,
    responses=errors(InvalidRequestError, InternalServerError),
)
async def system_health(visitor: Visitor, services: CurrentServices) -> SystemHealth:
    parts = await services.health.recent_parts()
    principal = await _recognised(visitor)
    return tell(
        parts,
        await services.devices.current(),
        uptime_seconds=services.health.uptime_seconds,
        running_jobs=await _running_jobs(services, principal),
        auth_required=services.authenticator.enabled,
        with_reasons=principal is not None,
    )


async def _recognised(visitor: Visitor) -> Principal | None:
    """Whoever cannot be recognised gets the answer all the same, and sees less in it."""
    try:
        return await visitor()
    except (DatabaseUnavailableError, ForbiddenError, RateLimitedError, UnauthorizedError):
        return None


async def _running_jobs(services: Services, principal: Principal | None) -> list[str]:
    """Named to callers with a key only."""
    if principal is None:
        return []
    run_filter = RunFilter(tags={KIND_TAG: KIND}, statuses=RUNNING)
    try:
        return await services.health.deadline.wait(
            services.dagster.run_ids(run_filter, limit=_MAX_NAMED_JOBS)
        )
    except ProbeError:
        return []
