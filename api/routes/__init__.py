"""All routers of the app; each file holds the routes of one noun and names them `router`."""

from fastapi import APIRouter

from api.routes import (
    docs,
    events,
    health,
    jobs,
    keys,
    metrics,
    pipelines,
    results,
    sign_in,
    system,
    validation,
    viewer,
)

#: Routes are tried in this order, so what is asked most often, and must be quick, comes first.
ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    validation.router,
    jobs.router,
    results.router,
    events.router,
    pipelines.router,
    system.router,
    keys.router,
    metrics.router,
    sign_in.router,
    docs.router,
    viewer.router,
)
