"""Who gets in, as whom, and who does not."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from api.app import create_app
from api.auth.authenticator import Authenticator
from api.auth.failures import FailureCounter
from api.auth.keys import list_keys, revoke_key
from api.auth.roles import Principal, Role
from api.dependencies import PublicAccess, RoleAccess, Services, VisitorAccess
from api.errors import RateLimitedError, UnauthorizedError
from api.settings import Settings

pytestmark = pytest.mark.anyio

ClientOf = Callable[..., httpx.AsyncClient]
RULES = (PublicAccess, VisitorAccess, RoleAccess)


async def test_every_route_has_exactly_one_rule_of_who_may_call(app: FastAPI) -> None:
    routes = _routes(app)
    assert len(routes) > 10
    for route in routes:
        assert len(_rules(route.dependant)) == 1, f"{route.methods} {route.path}"


async def test_every_route_that_is_not_public_refuses_strangers(
    app: FastAPI, stranger: httpx.AsyncClient
) -> None:
    for route in _routes(app):
        if not isinstance(_rules(route.dependant)[0], RoleAccess):
            continue
        for method in route.methods:
            response = await stranger.request(method, _example(route.path))
            assert response.status_code == 401, f"{method} {route.path}"
            if method != "HEAD":
                assert response.json()["error"]["code"] == "UNAUTHORIZED"
            assert "WWW-Authenticate" in response.headers


async def test_every_route_refuses_a_role_below_its_own(app: FastAPI, client_of: ClientOf) -> None:
    clients = {role: client_of(role.value) for role in Role}
    for route in _routes(app):
        rule = _rules(route.dependant)[0]
        if not isinstance(rule, RoleAccess):
            continue
        for role in Role:
            if role.includes(rule.role):
                continue
            for method in route.methods:
                response = await clients[role].request(method, _example(route.path))
                assert response.status_code == 403, f"{role}: {method} {route.path}"
                assert response.json()["error"]["code"] == "FORBIDDEN"


async def test_the_documentation_is_there_for_everybody(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get("/openapi.json")).status_code == 200
    assert (await stranger.get("/docs")).status_code == 200


async def test_a_key_is_taken_from_either_header(
    stranger: httpx.AsyncClient, secret_of: Callable[..., str]
) -> None:
    secret = secret_of("reader")
    for headers in ({"X-API-Key": secret}, {"Authorization": f"Bearer {secret}"}):
        assert (await stranger.get("/api/v1/jobs", headers=headers)).status_code == 200


async def test_a_key_in_the_query_opens_downloads_only(
    stranger: httpx.AsyncClient, secret_of: Callable[..., str]
) -> None:
    query = {"token": secret_of("reader")}
    job = "/api/v1/jobs/00000000-0000-0000-0000-000000000000"
    assert (await stranger.get(f"{job}/artifacts", params=query)).status_code == 404
    assert (await stranger.get(f"{job}/results/a/b", params=query)).status_code == 404
    assert (await stranger.get(job, params=query)).status_code == 401
    assert (await stranger.post(f"{job}/cancel", params=query)).status_code == 401


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer  ", "Basic abcdefgh", "Bearer fg_wrong"])
async def test_a_malformed_authorization_is_a_401(stranger: httpx.AsyncClient, value: str) -> None:
    response = await stranger.get("/api/v1/jobs", headers={"Authorization": value})
    assert response.status_code == 401


async def test_a_revoked_key_stops_working_within_the_time_it_is_trusted(
    services: Services, admin: httpx.AsyncClient, client_of: ClientOf
) -> None:
    services.database.migrate()
    authenticator = Authenticator(services.database, enabled=True, trust_seconds=0.0)
    reader = client_of("reader")
    secret = reader.headers["X-API-Key"]
    assert (await authenticator.authenticate(secret, "a")).name == "reader"
    key = next(key for key in list_keys(services.database) if key.name == "reader")
    assert (await admin.delete(f"/api/v1/keys/{key.id}")).status_code == 204
    with pytest.raises(UnauthorizedError):
        await authenticator.authenticate(secret, "a")


async def test_a_trusted_key_costs_no_look_into_the_database(
    services: Services, secret_of: Callable[..., str]
) -> None:
    services.database.migrate()
    authenticator = Authenticator(services.database, enabled=True, trust_seconds=60.0)
    secret = secret_of("reader")
    await authenticator.authenticate(secret, "a")
    revoke_key(services.database, list_keys(services.database)[0].id)
    assert await authenticator.authenticate(secret, "a") == Principal("reader", Role.READER)


async def test_an_address_that_guesses_is_slowed_down_and_its_neighbours_are_not(
    services: Services, secret_of: Callable[..., str]
) -> None:
    services.database.migrate()
    authenticator = Authenticator(
        services.database,
        enabled=True,
        trust_seconds=0.0,
        failures=FailureCounter(limit=3, window=60.0),
    )
    known, fresh = secret_of("reader"), secret_of("admin")
    await authenticator.authenticate(known, "guesser")
    for _ in range(3):
        with pytest.raises(UnauthorizedError):
            await authenticator.authenticate("fg_wrong_wrong", "guesser")
    with pytest.raises(RateLimitedError) as caught:
        await authenticator.authenticate(fresh, "guesser")
    assert 0 < int(caught.value.headers["Retry-After"]) <= 60
    assert (await authenticator.authenticate(known, "guesser")).role is Role.READER
    assert (await authenticator.authenticate(fresh, "neighbour")).role is Role.ADMIN


async def test_guessing_over_http_ends_in_429_with_retry_after(
    stranger: httpx.AsyncClient,
) -> None:
    statuses = [
        await stranger.get("/api/v1/jobs", headers={"X-API-Key": f"fg_{n:040}"}) for n in range(30)
    ]
    assert statuses[0].status_code == 401
    assert statuses[-1].status_code == 429
    assert statuses[-1].json()["error"]["code"] == "RATE_LIMITED"
    assert int(statuses[-1].headers["Retry-After"]) > 0


def test_failures_are_forgotten_after_their_window_and_addresses_are_bounded() -> None:
    counter = FailureCounter(limit=1, window=0.0)
    counter.add("a")
    assert counter.retry_after("a") == 0
    many = FailureCounter(limit=1, window=60.0)
    for number in range(10_050):
        many.add(str(number))
    assert many.retry_after("0") == 0
    assert many.retry_after("10049") > 0


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.org"])  # noqa: S104
def test_authentication_cannot_be_off_where_others_reach_us(host: str) -> None:
    with pytest.raises(ValueError, match="loopback"):
        Settings(auth="off", host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_authentication_may_be_off_on_loopback(host: str) -> None:
    assert Settings(auth="off", host=host).auth == "off"


@pytest.fixture
async def open_client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app whose authentication is off."""
    app = create_app(settings.model_copy(update={"auth": "off"}))
    async with app.router.lifespan_context(app):
        yield httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000"
        )


async def test_without_authentication_everybody_here_is_an_administrator_and_the_log_says_so(
    open_client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await open_client.get("/api/v1/keys")).status_code == 200
    warnings = [record.getMessage() for record in caplog.get_records("setup")]
    assert any("AUTHENTICATION IS OFF" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "localhost:8000"}, 200),
        ({"Host": "[::1]:8000"}, 200),
        ({"Origin": "http://127.0.0.1:8000"}, 200),
        ({"Origin": "http://127.0.0.1:8000", "Sec-Fetch-Site": "same-origin"}, 200),
        ({"Origin": "http://localhost:5173"}, 403),
        ({"Origin": "http://127.0.0.1:5173"}, 403),
        ({"Origin": "http://localhost:8000"}, 403),
        ({"Origin": "https://127.0.0.1:8000"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Host": "evil@127.0.0.1"}, 403),
        ({"Host": "evil@127.0.0.1:8000"}, 403),
        ({"Host": "127.0.0.1:8000@evil.example"}, 403),
        ({"Host": "192.168.1.5:8000"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://127.0.0.1.evil.example"}, 403),
        ({"Host": "evil.example:8000"}, 403),
        ({"Host": ""}, 403),
        ({"Host": "[::"}, 403),
    ],
)
async def test_without_authentication_pages_from_elsewhere_are_refused(
    open_client: httpx.AsyncClient, headers: dict[str, str], status: int
) -> None:
    assert (await open_client.get("/api/v1/keys", headers=headers)).status_code == status


async def test_keys_are_made_listed_without_secret_and_revoked_over_rest(
    admin: httpx.AsyncClient, stranger: httpx.AsyncClient
) -> None:
    body = {"name": "dave", "role": "reader", "expires_at": "2100-01-01T00:00:00+02:00"}
    created = await admin.post("/api/v1/keys", json=body)
    assert created.status_code == 201
    assert created.json()["expires_at"] == "2099-12-31T22:00:00.000Z"
    secret = created.json()["key"]
    headers = {"X-API-Key": secret}
    assert (await stranger.get("/api/v1/jobs", headers=headers)).status_code == 200
    listed = await admin.get("/api/v1/keys")
    assert secret not in listed.text
    assert [key["name"] for key in listed.json()["keys"]] == ["admin", "dave"]
    assert (await admin.delete(f"/api/v1/keys/{created.json()['id']}")).status_code == 204
    assert (await admin.delete("/api/v1/keys/nobody")).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x"},
        {"name": "x", "role": "king"},
        {"name": "x", "role": "reader", "extra": 1},
        {"name": "x", "role": "reader", "expires_at": "2100-01-01T00:00:00"},
        [],
    ],
)
async def test_a_key_that_makes_no_sense_is_refused(admin: httpx.AsyncClient, body: object) -> None:
    response = await admin.post("/api/v1/keys", json=body)
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "INVALID_REQUEST"


async def test_only_configured_origins_may_read_answers(
    settings: Settings, admin: httpx.AsyncClient
) -> None:
    assert (
        "access-control-allow-origin"
        not in (
            await admin.get("/api/v1/jobs", headers={"Origin": "https://viewer.example"})
        ).headers
    )
    app = create_app(settings.model_copy(update={"cors_origins": ("https://viewer.example",)}))
    async with app.router.lifespan_context(app):
        client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://framegate")
        ours = await client.get("/nowhere", headers={"Origin": "https://viewer.example"})
        assert ours.headers["access-control-allow-origin"] == "https://viewer.example"
        theirs = await client.get("/nowhere", headers={"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in theirs.headers
        preflight = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        refused = await client.options("/api/v1/jobs", headers=preflight)
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "INVALID_REQUEST"


def _routes(app: FastAPI) -> list[APIRoute]:
    """All routes that are ours; the framework's own serve the documentation."""
    routers = [route for route in app.routes if not isinstance(route, APIRoute)]
    own = [route for route in app.routes if isinstance(route, APIRoute)]
    included = [
        route
        for router in routers
        for route in getattr(getattr(router, "original_router", None), "routes", ())
    ]
    return [*own, *(route for route in included if isinstance(route, APIRoute))]


def _rules(dependant: Dependant) -> list[object]:
    return [one.call for one in dependant.dependencies if isinstance(one.call, RULES)]


def _example(path: str) -> str:
    return path.replace("{path:path}", "a/b").replace("{", "").replace("}", "")
