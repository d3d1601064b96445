"""`/docs`: Swagger UI, which shows and tries the operations. It comes from a package and from this
app alone, and works without internet.
"""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from api.dependencies import Public
from api.errors import NotFoundError

router = APIRouter(include_in_schema=False)

_OWN = Path(__file__).parents[1] / "docs"
_SWAGGER_UI = Path(str(files("fastapi_swagger") / "resources"))
_FILES = {
    "start.js": _OWN / "start.js",
    "swagger-ui-bundle.js": _SWAGGER_UI / "swagger-ui-bundle.js",
    "swagger-ui.css": _SWAGGER_UI / "swagger-ui.css",
    "favicon-32x32.png": _SWAGGER_UI / "favicon-32x32.png",
}
#: Icons are in the style sheet; a picture that an operation answered with is shown from a blob.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/docs")
async def page(_public: Public) -> Response:
    return FileResponse(_OWN / "index.html", headers={"Content-Security-Policy": _POLICY})


@router.get("/docs/{name}")
async def asset(_public: Public, name: str) -> Response:
    if name not in _FILES:
        raise NotFoundError(f"There is nothing at '/docs/{name[:64]}'.", hint="/docs is one page.")
    return FileResponse(_FILES[name], headers={"Cache-Control": "public, max-age=3600"})
