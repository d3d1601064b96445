"""`/api/v1/health`: alive, and with `detailed`, how each part is."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute

from api.dependencies import CurrentServices, Visitor
from api.errors import (
    DatabaseUnavailableError,
    ForbiddenError,
    InternalServerError,
    InvalidRequestError,
    RateLimitedError,
    UnauthorizedError,
)
from api.health.check import VERSION
from api.health.report import Health
from api.http.responses import CODES, ErrorEnvelope, errors, header
from contracts.timestamps import now

_ALIVE = f'{{"status":"ok","version":"{VERSION}","timestamp":"%s"}}'


class LivenessRoute(APIRoute):
    """Answers at once where nothing is asked for: solving dependencies takes longer than that."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            return await handle(request) if request.scope["query_string"] else _alive()

        return answer


router = APIRouter(tags=["health"], route_class=LivenessRoute)


@router.head("/api/v1/health", include_in_schema=False)
@router.get(
    "/api/v1/health",
    operation_id="getHealth",
    response_model=Health,
    responses={
        **errors(
            InvalidRequestError,
            UnauthorizedError,
            ForbiddenError,
            RateLimitedError,
            InternalServerError,
        ),
        503: {
            "model": Health | ErrorEnvelope,
            "headers": {"Retry-After": header(required=False)},
            CODES: [DatabaseUnavailableError.code],
        },
    },
)
async def health(
    visitor: Visitor,
    services: CurrentServices,
    *,
    detailed: bool = False,
) -> Response:
    if not detailed:
        return _alive()
    await visitor()
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


def _alive() -> Response:
    return Response(_ALIVE % now(), media_type="application/json")
