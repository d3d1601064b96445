"""`/api/v1/jobs/{job_id}/results`, `/report` and `/artifacts`: what a finished job left."""

import re

from anyio import to_thread
from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse, HTMLResponse, StreamingResponse

from api.dependencies import CurrentServices, DownloadReader, Reader
from api.errors import (
    InvalidRequestError,
    JobNotFinishedError,
    JobNotFoundError,
    NotFoundError,
    RangeNotSatisfiableError,
)
from api.http.responses import ASKING_DAGSTER, errors, header
from api.http.schemas import JobResults
from api.jobs.description import read_files
from api.results.archive import archive_size, stream_archive
from api.results.artifacts import entries_of
from api.results.files import find_file, find_finished_run, get_results
from api.results.report import render_report

router = APIRouter(prefix="/api/v1/jobs/{job_id}", tags=["results"])

_ERRORS = (*ASKING_DAGSTER, JobNotFoundError, NotFoundError, JobNotFinishedError)
_REVALIDATED = "private, no-cache"
_FILE_HEADERS = {"ETag": header(), "Content-Disposition": header()}
#: The report's pictures and style are inside it; it loads nothing, and runs nothing.
_REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'none'"
)
_BYTES = re.compile(r"\s*bytes\s*=", re.IGNORECASE)
_RANGE = re.compile(r"\s*bytes\s*=\s*[0-9]*-", re.IGNORECASE)
_SHOWN_IN_BROWSER = ("image/", "video/", "audio/")


@router.head("/results", include_in_schema=False)
@router.get(
    "/results",
    operation_id="getResults",
    responses=errors(*_ERRORS),
)
async def manifest(_reader: Reader, services: CurrentServices, job_id: str) -> JobResults:
    return await get_results(services, job_id)


@router.head("/results/{path:path}", include_in_schema=False)
@router.get(
    "/results/{path:path}",
    operation_id="getResultFile",
    response_class=FileResponse,
    responses={
        200: {"headers": _FILE_HEADERS},
        206: {
            "headers": {**_FILE_HEADERS, "Content-Range": header()},
        },
        304: {"headers": {"ETag": header()}},
        **errors(*_ERRORS, RangeNotSatisfiableError),
    },
)
async def file(
    _reader: DownloadReader, services: CurrentServices, request: Request, job_id: str, path: str
) -> Response:
    _judge_range(request)
    found, on_disk = await find_file(services, job_id, path)
    headers = {"ETag": f'"{found.sha256}"', "Cache-Control": _REVALIDATED}
    if headers["ETag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    shown = found.media_type.startswith(_SHOWN_IN_BROWSER)
    return FileResponse(
        on_disk.path,
        headers=headers,
        media_type=found.media_type,
        filename=found.name,
        content_disposition_type="inline" if shown else "attachment",
    )


@router.head("/report", include_in_schema=False)
@router.get(
    "/report",
    operation_id="getReport",
    response_class=Response,
    responses={
        200: {"content": {"text/html": {"schema": {"type": "string"}}}},
        **errors(*_ERRORS),
    },
)
async def report(_reader: DownloadReader, services: CurrentServices, job_id: str) -> HTMLResponse:
    run = await find_finished_run(services, job_id, with_steps=True)
    page = await to_thread.run_sync(
        lambda: render_report(services, run, read_files(services.home, run))
    )
    return HTMLResponse(page, headers={"Content-Security-Policy": _REPORT_POLICY})


@router.head("/artifacts", include_in_schema=False)
@router.get(
    "/artifacts",
    operation_id="getArtifacts",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
            "headers": {
                "Content-Length": header(),
                "Content-Disposition": header(),
            },
        },
        **errors(*_ERRORS),
    },
)
async def artifacts(
    _reader: DownloadReader, services: CurrentServices, request: Request, job_id: str
) -> Response:
    run = await find_finished_run(services, job_id, with_steps=True)
    entries = await to_thread.run_sync(entries_of, services, run)
    headers = {
        "Content-Length": str(archive_size(entries)),
        "Content-Disposition": f'attachment; filename="framegate-{run.run_id}.zip"',
    }
    if request.method == "HEAD":  # otherwise it would be made, and thrown away
        return Response(media_type="application/zip", headers=headers)
    return StreamingResponse(stream_archive(entries), media_type="application/zip", headers=headers)


def _judge_range(request: Request) -> None:
    """A unit that we do not know is ignored, and so is any range but GET's (RFC 9110, 14.2).
    Raises InvalidRequestError for bytes that cannot be understood.
    """
    given = request.headers.get("range", "")
    if request.method != "GET" or not _BYTES.match(given):
        headers = request.scope["headers"]
        request.scope["headers"] = [pair for pair in headers if pair[0] != b"range"]
    elif not _RANGE.match(given):
        raise InvalidRequestError("This is not a range of bytes.", field="Range")
