"""`/sign-in` and `/sign-out`: pages for people. An API key opens a session, which is a cookie."""

from contextlib import suppress
from typing import Annotated
from urllib.parse import parse_qsl

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.auth.audit import record
from api.auth.keys import KeyRecord
from api.auth.links import use_link
from api.dependencies import CurrentServices, Public, Services
from api.door.cookie import clear_session_cookie, session_token, set_session_cookie
from api.door.page import sign_in_page, signed_in_page
from api.door.visitor import identify
from api.errors import FramegateError, UnauthorizedError
from api.http.json_body import read_body
from contracts.door import DAGSTER_PREFIX

router = APIRouter(include_in_schema=False)

_UI = f"{DAGSTER_PREFIX}/"
_MAX_FORM_BYTES = 10_000
_SEE_OTHER = 303


@router.get("/")
async def root(_public: Public) -> Response:
    return RedirectResponse(_UI, _SEE_OTHER)


@router.get("/sign-in")
async def show(
    _public: Public,
    services: CurrentServices,
    request: Request,
    wanted: Annotated[str, Query(alias="next")] = _UI,
) -> Response:
    if not services.authenticator.enabled:
        return RedirectResponse(_UI, _SEE_OTHER)
    if session_token(request, services.settings.port):
        try:
            return signed_in_page((await identify(services, request)).principal)
        except UnauthorizedError:
            pass  # it has ended: sign in anew
    return sign_in_page(_own_page(wanted))


@router.post("/sign-in")
async def sign_in(_public: Public, services: CurrentServices, request: Request) -> Response:
    """Answers with the page again where the key or the link is not good."""
    services.origins.check_page(request.headers, request.url.scheme)
    form = dict(parse_qsl((await read_body(request, _MAX_FORM_BYTES)).decode("utf-8", "replace")))
    wanted = _own_page(form.get("next", _UI))
    try:
        key = await _key_of(services, form, request.client.host if request.client else "-")
    except FramegateError as error:
        return sign_in_page(wanted, error)
    _close_session(services, request)
    await record(services.home, request, key.principal, "sign_in", role=key.role)
    response = RedirectResponse(wanted, _SEE_OTHER)
    set_session_cookie(
        response,
        services.sessions.open(key.id),
        port=services.settings.port,
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/sign-out")
async def sign_out(_public: Public, services: CurrentServices, request: Request) -> Response:
    services.origins.check_page(request.headers, request.url.scheme)
    with suppress(UnauthorizedError):  # the session has ended
        principal = (await identify(services, request)).principal
        await record(services.home, request, principal, "sign_out")
    _close_session(services, request)
    response = RedirectResponse("/sign-in", _SEE_OTHER)
    clear_session_cookie(
        response, port=services.settings.port, secure=request.url.scheme == "https"
    )
    return response


async def _key_of(services: Services, form: dict[str, str], address: str) -> KeyRecord:
    """Raises UnauthorizedError, RateLimitedError."""
    if link := form.get("link"):
        key_id = await to_thread.run_sync(use_link, services.home, link)
        if key_id is None:
            raise UnauthorizedError(
                "This link has been used, or is too old: `framegate open` makes a new one."
            )
        return await services.authenticator.find_by_id(key_id)
    return await services.authenticator.find(form.get("key", "").strip(), address)


def _close_session(services: Services, request: Request) -> None:
    if token := session_token(request, services.settings.port):
        services.sessions.close(token)


def _own_page(wanted: str) -> str:
    """Nobody is led elsewhere by a link to the sign-in page."""
    return wanted if wanted.startswith(_UI) and wanted.isprintable() else _UI
