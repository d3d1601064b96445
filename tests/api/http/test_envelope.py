"""Every error looks the same, whoever raised it, and every answer carries its request's id."""

from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import PlainTextResponse

from api.app import create_app
from api.dependencies import Services
from api.errors import FramegateError, StorageFullError, envelope

pytestmark = pytest.mark.anyio


def test_the_envelope_repeats_the_message_for_clients_of_the_frameworks_own_shape() -> None:
    error = StorageFullError("Full.", hint="Free some.", detail={"required_gb": 2})
    body = envelope(error, "id")
    assert body["detail"] == "Full."
    assert body["error"] | {"timestamp": ""} == {
        "code": "STORAGE_FULL",
        "message": "Full.",
        "detail": {"required_gb": 2},
        "hint": "Free some.",
        "timestamp": "",
    }
    assert body["error"]["timestamp"].endswith("Z")


def test_every_code_has_one_status_but_for_two() -> None:
    statuses: dict[str, set[int]] = {}
    for error in _tree(FramegateError):
        if hasattr(error, "code"):
            statuses.setdefault(error.code, set()).add(error.status)
    several = {code: found for code, found in statuses.items() if len(found) > 1}
    assert several == {"IDEMPOTENCY_CONFLICT": {409, 422}, "INVALID_REQUEST": {400, 408, 416, 431}}


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "NOT_FOUND"),
        ("GET", "/api/v1/jobs/00000000-0000-0000-0000-000000000000", 404, "JOB_NOT_FOUND"),
        ("GET", "/api/v1/jobs/not-an-id", 404, "JOB_NOT_FOUND"),
        ("GET", "/api/v1/jobs/%00", 404, "JOB_NOT_FOUND"),
        ("PUT", "/api/v1/jobs", 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/api/v1/jobs?page=zero", 400, "INVALID_REQUEST"),
        ("GET", "/api/v1/jobs?status=lost", 400, "INVALID_REQUEST"),
        ("POST", "/api/v1/jobs", 400, "INVALID_REQUEST"),
    ],
)
async def test_errors_of_routing_and_parsing_use_the_envelope(
    admin: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    response = await admin.request(method, path)
    assert response.status_code == status
    assert response.json()["error"]["code"] == code
    assert response.json()["detail"] == response.json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/v1/jobs", "GET, POST"),
        ("/api/v1/jobs/x", "DELETE, GET"),
        ("/api/v1/pipelines/validate", "POST"),
        ("/openapi.json", "GET, HEAD"),
        ("/api/v1/health", "GET, HEAD"),
        ("/health", "GET, HEAD"),
        ("/api/v1/system/health", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_not_allowed_is_answered_with_all_that_are(
    admin: httpx.AsyncClient, path: str, methods: str
) -> None:
    response = await admin.put(path)
    assert response.status_code == 405
    assert response.headers["Allow"] == methods


async def test_a_page_from_elsewhere_may_read_every_header_that_means_something(
    services: Services,
) -> None:
    origin = "https://pages.example"
    settings = services.settings.model_copy(update={"cors_origins": (origin,)})
    transport = httpx.ASGITransport(create_app(services=replace(services, settings=settings)))
    async with httpx.AsyncClient(transport=transport, base_url="http://framegate") as page:
        answer = await page.get("/api/v1/health", headers={"Origin": origin})
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Content-Range", "ETag", "Idempotency-Replayed", "Location", "Retry-After"} <= {
        *exposed
    }


async def test_a_bad_parameter_is_named(admin: httpx.AsyncClient) -> None:
    error = (await admin.get("/api/v1/jobs?per_page=101&page=0")).json()["error"]
    assert error["field"] == "page"
    assert [entry["field"] for entry in error["detail"]["errors"]] == ["page", "per_page"]


async def test_a_crash_tells_the_request_id_and_nothing_of_the_inside(
    running: FastAPI, admin: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    @running.get("/crash")
    async def crash() -> None:
        raise RuntimeError("the secret inside")

    response = await admin.get("/crash", headers={"X-Request-ID": "mine-1"})
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "INTERNAL_SERVER_ERROR"
    assert response.json()["error"]["detail"] == {"request_id": "mine-1"}
    assert "secret inside" not in response.text
    assert "the secret inside" in caplog.text
    assert "mine-1" in caplog.text


async def test_a_librarys_own_error_answer_is_put_into_the_envelope(
    running: FastAPI, admin: httpx.AsyncClient
) -> None:
    @running.get("/range")
    async def answer() -> PlainTextResponse:
        return PlainTextResponse("", 416, headers={"Content-Range": "bytes */9"})

    response = await admin.get("/range")
    assert response.json()["error"]["code"] == "INVALID_REQUEST"
    assert response.headers["Content-Range"] == "bytes */9"


@pytest.mark.parametrize("given", ["", "x" * 65, "a b", "a\tb", "ä", "<script>"])
async def test_a_request_id_that_could_do_harm_is_replaced(
    admin: httpx.AsyncClient, given: str
) -> None:
    response = await admin.get("/nowhere", headers=[(b"X-Request-ID", given.encode())])
    assert response.headers["X-Request-ID"] not in {given, ""}


async def test_a_harmless_request_id_comes_back(admin: httpx.AsyncClient) -> None:
    response = await admin.get("/nowhere", headers={"X-Request-ID": "trace.1-a_b"})
    assert response.headers["X-Request-ID"] == "trace.1-a_b"


async def test_a_path_is_the_same_with_and_without_a_trailing_slash(
    admin: httpx.AsyncClient,
) -> None:
    for path in ("/api/v1/jobs", "/api/v1/jobs/", "/api/v1/keys/"):
        assert (await admin.get(path)).status_code == 200


async def test_every_answer_has_the_security_headers(stranger: httpx.AsyncClient) -> None:
    for path in ("/nowhere", "/api/v1/jobs", "/openapi.json"):
        headers = (await stranger.get(path)).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def _tree(error: type[FramegateError]) -> list[type[FramegateError]]:
    return [error, *(inner for child in error.__subclasses__() for inner in _tree(child))]


async def test_the_description_is_kept_by_clients_until_it_changes(
    stranger: httpx.AsyncClient,
) -> None:
    first = await stranger.get("/openapi.json")
    again = await stranger.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert first.json()["openapi"]
    assert (again.status_code, again.content) == (304, b"")
