"""`/metrics`: what Prometheus scrapes."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from api.dependencies import CurrentServices, Reader
from api.http.responses import KEYED, errors

router = APIRouter(tags=["health"])

_TEXT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/plain": {"schema": {"type": "string"}},
            "application/openmetrics-text": {"schema": {"type": "string"}},
        },
    }
}


@router.get(
    "/metrics",
    operation_id="getMetrics",
    response_class=Response,
    responses={**_TEXT, **errors(*KEYED)},
)
async def metrics(_reader: Reader, services: CurrentServices, request: Request) -> Response:
    text, content_type = await services.metrics.scrape(request.headers.get("accept", ""))
    return Response(text, headers={"Content-Type": content_type})
