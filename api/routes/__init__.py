"""All routers of the app; each file holds the routes of one noun and names them `router`."""

from fastapi import APIRouter

from api.routes import keys

ROUTERS: tuple[APIRouter, ...] = (keys.router,)
