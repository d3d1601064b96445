"""Forms made byte by byte, as no client library makes them, and what an upload leaves behind."""

from pathlib import Path
from typing import Any

import httpx

from api.settings import Settings

JOBS = "/api/v1/jobs"
BOUNDARY = "b0undary"


def form(*parts: tuple[str, str, bytes], end: bool = True) -> bytes:
    """Parts as (disposition's parameters, further header lines, content)."""
    body = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; {parameters}\r\n{headers}\r\n".encode()
        + content
        + b"\r\n"
        for parameters, headers, content in parts
    )
    return body + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


def left_behind(settings: Settings) -> list[Path]:
    """Every file of uploads and media under the home."""
    root = settings.paths.root
    return [
        path for name in ("uploads", "media") for path in (root / name).rglob("*") if path.is_file()
    ]


async def post(client: httpx.AsyncClient, body: Any, **headers: str) -> httpx.Response:
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return await client.post(JOBS, content=body, headers=kind | headers)
