"""Reads a submission, sent as a form or as JSON."""

import re
from collections.abc import Mapping
from typing import Any

from anyio import to_thread
from starlette.requests import Request

from api.dependencies import Services
from api.errors import InvalidRequestError, UnsupportedMediaError
from api.http.fields import check
from api.http.json_body import off_event_loop, read_json
from api.http.multipart import read_form
from api.http.schemas import JobSubmission
from api.media.store import StoredMedia
from api.media.uploads import (
    Upload,
    UploadLimits,
    check_announced,
    check_space,
    chunks_of,
    open_upload,
)
from api.submissions.plan import Plan, plan
from contracts.strict_json import StrictJsonError, parse_json

_VIDEO = "video"
_FIELDS = ("selected_pipelines", "config", "tags", "priority")
#: What clients send where a form has fields and no file, or nothing at all.
_WITHOUT_FILE = ("", "application/x-www-form-urlencoded")
_INTEGER = re.compile(r"-?[0-9]{1,9}")


async def receive_submission(services: Services, request: Request) -> tuple[Plan, StoredMedia]:
    """Reads the request's body, and stores the media in it.

    Raises InvalidRequestError, InvalidConfigError, PipelineNotFoundError, UnsupportedMediaError,
    PayloadTooLargeError, StorageFullError, GpuOutOfMemoryError; nothing is kept then.
    """
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _receive_form(services, request, content_type)
    if kind == "application/json":
        return await _receive_json(services, request)
    if kind in _WITHOUT_FILE:
        raise InvalidRequestError(
            f"The submission lacks the file '{_VIDEO}'.",
            field=_VIDEO,
            hint="Send multipart/form-data with the file as the form field 'video'.",
        )
    raise UnsupportedMediaError(
        f"A submission is multipart/form-data or application/json, not {kind[:80]!r}.",
        hint="Send the file as the form field 'video'.",
    )


async def _receive_json(services: Services, request: Request) -> tuple[Plan, StoredMedia]:
    settings = services.settings
    body, length = await read_json(request, settings.max_json_bytes)
    await to_thread.run_sync(check_space, services.home.root, 0, settings.minimum_free_bytes)
    devices = await services.devices.current()

    def judge() -> tuple[Plan, str]:
        submission = check(JobSubmission, body)
        decided = plan(submission, services.catalog, devices, pipelines_field="pipelines")
        return decided, submission.media

    decided, media = await off_event_loop(request, judge, length)
    return decided, await services.media.find(media)


async def _receive_form(
    services: Services, request: Request, content_type: str
) -> tuple[Plan, StoredMedia]:
    settings, folder = services.settings, services.home.uploads
    limits = UploadLimits(settings.max_upload_bytes, settings.minimum_free_bytes)
    announced = request.headers.get("content-length", "")
    size = int(announced) if announced.isdecimal() else 0
    await to_thread.run_sync(check_announced, size, folder, limits)
    async with open_upload(folder, limits) as upload:
        fields = await read_form(
            content_type,
            chunks_of(request, limits),
            file_field=_VIDEO,
            fields=_FIELDS,
            sink=upload,
            max_field_bytes=settings.max_json_bytes,
        )
        await upload.finish()
        devices = await services.devices.current()

        def judge() -> Plan:
            submission = check(JobSubmission, _body_of(fields, upload))
            return plan(submission, services.catalog, devices, pipelines_field="selected_pipelines")

        decided = await off_event_loop(request, judge, sum(map(len, fields.values())))
        return decided, await services.media.keep(upload)


def _body_of(fields: Mapping[str, str], upload: Upload) -> dict[str, Any]:
    """The form's fields as the JSON form has them."""
    named = [name.strip() for name in fields.get("selected_pipelines", "").split(",")]
    return {
        "media": upload.sha256,
        "pipelines": [name for name in named if name] or None,
        "config": _json_field(fields, "config"),
        "tags": _json_field(fields, "tags"),
        "priority": _integer_field(fields, "priority"),
    }


def _json_field(fields: Mapping[str, str], name: str) -> Any:
    text = fields.get(name, "").strip()
    if not text:
        return {}
    try:
        return parse_json(text)
    except StrictJsonError as error:
        raise InvalidRequestError(f"{name}: {error}", field=name) from error


def _integer_field(fields: Mapping[str, str], name: str) -> int:
    text = fields.get(name, "").strip() or "0"
    if not _INTEGER.fullmatch(text):
        raise InvalidRequestError(f"{name}: Not an integer.", field=name)
    return int(text)
