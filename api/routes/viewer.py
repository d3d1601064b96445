"""`/viewer-connect`: the page on which a key signs in and is handed to the viewer."""

from fastapi import APIRouter
from fastapi.responses import Response

from api.auth.links import CONNECT_PATH
from api.dependencies import CurrentServices, Public
from api.door.page import connect_page
from api.errors import NotFoundError

router = APIRouter(include_in_schema=False)


@router.get(CONNECT_PATH)
async def connect(_public: Public, services: CurrentServices) -> Response:
    if services.settings.viewer is None:
        raise NotFoundError("No viewer is served here.", hint="FRAMEGATE_VIEWER names one.")
    return connect_page()
