"""`/api/v1/jobs/{job_id}/results` and `/artifacts`: what a finished job left."""

import re

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse, StreamingResponse

from api.archive import archive_size, stream_archive
from api.artifacts import entries_of
from api.dependencies import CurrentServices, DownloadReader, Reader
from api.errors import InvalidRequestError, NotFoundError
from api.responses import errors
from api.results import find_file, find_finished_run, get_results
from api.schemas import JobResults

router = APIRouter(prefix="/api/v1/jobs/{job_id}", tags=["results"])

_REVALIDATED = "private, no-cache"
_RANGE = re.compile(r"bytes=\s*[0-9]*-")
_SHOWN_IN_BROWSER = ("image/", "video/", "audio/")


@router.get(
    "/results",
    operation_id="getResults",
    summary="The manifest of a job's results",
    responses=errors(401, 403, 404, 409, 429, 500, 503),
)
async def manifest(_reader: Reader, services: CurrentServices, job_id: str) -> JobResults:
    return await get_results(services, job_id)


@router.get(
    "/results/{path:path}",
    operation_id="getResultFile",
    summary="One result file, whole or in ranges",
    response_class=FileResponse,
    responses={
        206: {"description": "The part that was asked for"},
        304: {"description": "The client has it already"},
        **errors(400, 401, 403, 404, 409, 416, 429, 500, 503),
    },
)
async def file(
    _reader: DownloadReader, services: CurrentServices, request: Request, job_id: str, path: str
) -> Response:
    if not _RANGE.match(request.headers.get("range", "bytes=0-")):
        raise InvalidRequestError("Only ranges of bytes are served.", field="Range")
    found, location = await find_file(services, job_id, path)
    headers = {"ETag": f'"{found.sha256}"', "Cache-Control": _REVALIDATED}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if not await to_thread.run_sync(location.is_file):
        raise NotFoundError("The file is gone from the disk.")
    shown = found.media_type.startswith(_SHOWN_IN_BROWSER)
    return FileResponse(
        location,
        headers=headers,
        media_type=found.media_type,
        filename=found.name,
        content_disposition_type="inline" if shown else "attachment",
    )


@router.get(
    "/artifacts",
    operation_id="getArtifacts",
    summary="The video and all result files as a ZIP",
    response_class=StreamingResponse,
    responses={
        200: {"content": {"application/zip": {}}},
        **errors(401, 403, 404, 409, 429, 500, 503),
    },
)
async def artifacts(_reader: DownloadReader, services: CurrentServices, job_id: str) -> Response:
    run = await find_finished_run(services, job_id)
    entries = await to_thread.run_sync(entries_of, services, run)
    return StreamingResponse(
        stream_archive(entries),
        media_type="application/zip",
        headers={
            "Content-Length": str(archive_size(entries)),
            "Content-Disposition": f'attachment; filename="framegate-{run.run_id}.zip"',
        },
    )
