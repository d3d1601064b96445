"""REST called by the pages of this address, with the cookie of somebody who signed in."""

from collections.abc import Awaitable, Callable

import httpx
import pytest

from api.auth.keys import list_keys, revoke_key
from api.dependencies import Services

pytestmark = pytest.mark.anyio

SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]
JOBS = "/api/v1/jobs"


@pytest.fixture
def signed_in(stranger: httpx.AsyncClient, secret_of: Callable[..., str]) -> SignIn:
    """A browser in which somebody with a key of this role signed in."""

    async def sign_in(role: str) -> httpx.AsyncClient:
        answer = await stranger.post("/sign-in", data={"key": secret_of(role)})
        assert answer.status_code == 303
        return stranger

    return sign_in


async def test_a_session_opens_what_its_key_does(signed_in: SignIn) -> None:
    browser = await signed_in("reader")

    assert (await browser.get(JOBS)).status_code == 200
    assert (await browser.post(f"{JOBS}/unknown/cancel")).status_code == 403
    assert (await browser.get("/api/v1/keys")).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://elsewhere"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "elsewhere"},
    ],
    ids=lambda headers: "-".join(*headers.items()),
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_page_from_elsewhere_cannot_use_it(
    signed_in: SignIn, method: str, headers: dict[str, str]
) -> None:
    browser = await signed_in("admin")
    path = JOBS if method == "GET" else f"{JOBS}/unknown/cancel"

    answer = await browser.request(method, path, headers=headers)

    assert answer.status_code == 403


async def test_it_ends_by_signing_out(signed_in: SignIn) -> None:
    browser = await signed_in("reader")
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    await browser.post("/sign-out")

    answer = await browser.get(JOBS, headers={"Cookie": cookie})

    assert answer.status_code == 401
    assert answer.json()["error"]["hint"] == "Sign in at /sign-in."


async def test_it_ends_when_its_key_is_revoked(signed_in: SignIn, services: Services) -> None:
    browser = await signed_in("reader")
    [record] = list_keys(services.database)
    revoke_key(services.database, record.id)
    services.authenticator._trust_seconds = 0.0

    assert (await browser.get(JOBS)).status_code == 401


async def test_a_key_that_is_sent_counts_instead(
    signed_in: SignIn, secret_of: Callable[..., str]
) -> None:
    browser = await signed_in("reader")
    admin = {"X-API-Key": secret_of("admin")}

    assert (await browser.get("/api/v1/keys", headers=admin)).status_code == 200
    assert (await browser.get(JOBS, headers={"X-API-Key": "fg_wrong"})).status_code == 401
