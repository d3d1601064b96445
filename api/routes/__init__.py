"""All routers of the app; each file holds the routes of one noun and names them `router`."""

from fastapi import APIRouter

from api.routes import jobs, keys, results

ROUTERS: tuple[APIRouter, ...] = (jobs.router, results.router, keys.router)
