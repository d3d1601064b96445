"""The scripts, styles and pictures of Dagster's UI, from the installed package.

Their names hold a hash of what is in them, or lie in a folder that is named after the build: a
browser asks for each once, until Dagster is another version.
"""

import mimetypes
from functools import cached_property
from pathlib import Path

from anyio import to_thread
from starlette.responses import Response

from api.errors import NotFoundError
from pipelines.registry.spec import PackageFile

STATIC = "/_next/static/"
_INDEX = PackageFile("dagster_webserver", "webapp/build/index.html")
#: For the browser of whoever is signed in, and for no cache on the way.
_FOR_GOOD = {"Cache-Control": "private, max-age=31536000, immutable"}


class StaticFiles:
    @cached_property
    def _files(self) -> dict[str, Path]:
        """By path below Dagster's prefix."""
        index = _INDEX.find()
        if index is None:
            return {}
        paths = (index.parent / STATIC.strip("/")).rglob("*")
        return {f"/{path.relative_to(index.parent)}": path for path in paths if path.is_file()}

    async def answer(self, path: str) -> Response:
        """Raises NotFoundError."""
        file = self._files.get(path)
        if file is None:
            raise NotFoundError("There is no such file.")
        content = await to_thread.run_sync(file.read_bytes)
        media_type, _encoding = mimetypes.guess_type(file.name)
        return Response(content, headers=_FOR_GOOD, media_type=media_type)
