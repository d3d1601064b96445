"""The REST client of the command: every answer is JSON or a file, every failure a CommandError."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import httpx

from api.cli.errors import CommandError, UnreachableError, UsageError

_TIMEOUT = httpx.Timeout(60.0, connect=5.0)
#: An upload is answered only after it was hashed and probed.
_UPLOAD_TIMEOUT = httpx.Timeout(300.0, connect=5.0)
_JOB_ID = re.compile(r"[A-Za-z0-9_\-]{1,100}")
#: A proxy says so of the API, and the API of Dagster or its database: all are soon back.
_AWAY = frozenset(
    {httpx.codes.BAD_GATEWAY, httpx.codes.SERVICE_UNAVAILABLE, httpx.codes.GATEWAY_TIMEOUT}
)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True)
class Client:
    _http: httpx.Client

    def get(self, path: str, **parameters: Any) -> Any:
        given = {key: value for key, value in parameters.items() if value is not None}
        return self._ask("GET", path, params=given).json()

    def post(self, path: str, body: Any = None) -> Any:
        return self._ask("POST", path, json=body).json()

    def upload(self, path: str, name: str, file: IO[bytes], fields: dict[str, str]) -> Any:
        """Streams `file` as the multipart field `video`."""
        return self._ask(
            "POST", path, data=fields, files={"video": (name, file)}, timeout=_UPLOAD_TIMEOUT
        ).json()

    def download(self, path: str, target: Path) -> None:
        """Streams the answer into `target`, which appears only when it is whole."""
        partial = target.with_name(f".{target.name}.partial")
        try:
            with _told(self._http), self._http.stream("GET", path) as response:
                if response.is_error:
                    response.read()
                    raise _failure(response)
                with partial.open("wb") as file:
                    for chunk in response.iter_bytes():
                        file.write(chunk)
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)

    def _ask(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        with _told(self._http):
            response = self._http.request(method, path, **arguments)
        if not response.is_success:
            raise _failure(response)
        if not response.headers.get("content-type", "").startswith("application/json"):
            raise _not_framegate(self._http)
        return response


@contextmanager
def connect(url: str, api_key: str | None) -> Iterator[Client]:
    """Raises UsageError for what is not an address or cannot be a key."""
    try:
        address = httpx.URL(url.rstrip("/") + "/")
    except httpx.InvalidURL as error:
        raise UsageError(f"{url!r} is not an address: {error}", hint=_URL_HINT) from error
    if address.scheme not in ("http", "https") or not address.host:
        raise UsageError(f"{url!r} is not an address.", hint=_URL_HINT)
    if api_key and not (api_key.isascii() and api_key.isprintable()):
        raise UsageError("The API key contains characters that no key has.", hint=_KEY_HINT)
    with httpx.Client(
        base_url=address,
        headers={"X-API-Key": api_key} if api_key else {},
        timeout=_TIMEOUT,
        trust_env=address.host not in _LOOPBACK,  # a proxy is for other machines
    ) as http:
        yield Client(http)


def job_path(job_id: str) -> str:
    """The address of a job. Raises UsageError for anything but an id."""
    if not _JOB_ID.fullmatch(job_id):
        raise UsageError(f"{job_id!r} is no id of a job.", hint=_JOB_HINT)
    return f"api/v1/jobs/{job_id}"


_URL_HINT = "Give one like http://127.0.0.1:8000 with --url or FRAMEGATE_URL."
_KEY_HINT = (
    "Give one with --api-key or FRAMEGATE_API_KEY; on the server, "
    "`framegate keys create --role annotator --name NAME` makes one."
)
_JOB_HINT = "`framegate jobs` lists the jobs."
#: Where the API's hint speaks of requests, as typed here.
_HINTS = {"UNAUTHORIZED": _KEY_HINT, "JOB_NOT_FOUND": _JOB_HINT}


@contextmanager
def _told(http: httpx.Client) -> Iterator[None]:
    """Turns what can go wrong on the way into what a person can do about it."""
    try:
        yield
    except httpx.ConnectError as error:
        raise UnreachableError(
            f"Nothing answers at {http.base_url}.",
            code="UNREACHABLE",
            hint="Start it with `framegate up`, or name another address with --url.",
        ) from error
    except httpx.TimeoutException as error:
        raise UnreachableError(
            f"{http.base_url} did not answer in time.",
            code="UNREACHABLE",
            hint="Look at its health with `framegate doctor` on the server.",
        ) from error
    except httpx.TransportError as error:
        raise UnreachableError(
            f"The connection to {http.base_url} broke: {error}",
            code="UNREACHABLE",
            hint="Try again; `framegate jobs` shows whether a job was made.",
        ) from error


def _failure(response: httpx.Response) -> CommandError:
    kind = UnreachableError if response.status_code in _AWAY else CommandError
    try:
        error = response.json()["error"]
        message = str(error["message"])
    except (ValueError, KeyError, TypeError):
        return kind(
            f"{response.url} answered {response.status_code} {response.reason_phrase}.",
            code="NOT_FRAMEGATE",
            hint="Is this the address of a Framegate API?",
        )
    code = error["code"]
    hint = _HINTS.get(code, error.get("hint"))
    return kind(message, hint=hint, code=code, detail=error.get("detail"))


def _not_framegate(http: httpx.Client) -> CommandError:
    return CommandError(
        f"What answers at {http.base_url} is not Framegate.",
        code="NOT_FRAMEGATE",
        hint="The Dagster UI has an address of its own; the API's is printed by `framegate up`.",
    )
