"""All routers of the app; each file holds the routes of one noun and names them `router`."""

from fastapi import APIRouter

from api.routes import events, health, jobs, keys, pipelines, results, system, validation

ROUTERS: tuple[APIRouter, ...] = (
    jobs.router,
    results.router,
    events.router,
    validation.router,
    pipelines.router,
    health.router,
    system.router,
    keys.router,
)
