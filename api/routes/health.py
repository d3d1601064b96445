"""`/api/v1/health`: alive, and with `detailed`, how each part is."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.dependencies import Services, Visitor
from api.health.check import VERSION
from api.health.report import Health
from api.responses import ErrorEnvelope, errors
from api.timestamps import now

router = APIRouter(tags=["health"])

_ALIVE = f'{{"status":"ok","version":"{VERSION}","timestamp":"%s"}}'


@router.head("/api/v1/health", include_in_schema=False)
@router.get(
    "/api/v1/health",
    operation_id="getHealth",
    summary="Liveness, or the state of every part",
    response_model=Health,
    responses={
        **errors(400, 401, 403, 429, 500),
        503: {
            "model": Health | ErrorEnvelope,
            "description": "A part is broken (with `detailed` only)",
        },
    },
)
async def health(
    request: Request,
    visitor: Visitor,
    *,
    detailed: Annotated[bool, Query(description="Look at every part.")] = False,
) -> Response:
    if not detailed:
        return Response(_ALIVE % now(), media_type="application/json")
    if visitor is None:
        raise request.state.refusal
    services: Services = request.app.state.services  # not a dependency: liveness must be quick
    details = await services.health.parts()
    report = Health(
        status="ok" if details.is_healthy else "unhealthy",
        version=VERSION,
        timestamp=now(),
        details=details,
    )
    return Response(
        report.model_dump_json(),
        status_code=200 if details.is_healthy else 503,
        media_type="application/json",
    )
