"""Signing in with a key or a link, and how a session ends."""

from collections.abc import Callable

import httpx
import pytest
from fastapi import FastAPI

from api.auth import links
from api.auth.keys import list_keys, revoke_key
from api.auth.links import create_link
from api.dependencies import Services
from contracts.home import Home

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("upstream")]

UI = "/dagster/"
SecretOf = Callable[..., str]


async def test_a_key_signs_in(stranger: httpx.AsyncClient, secret_of: SecretOf) -> None:
    answer = await stranger.post(
        "/sign-in", data={"key": secret_of("reader"), "next": "/dagster/x"}
    )

    assert (answer.status_code, answer.headers["Location"]) == (303, "/dagster/x")
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert (await stranger.get(UI)).status_code == 200


async def test_behind_tls_the_cookie_is_for_tls_alone(
    running: FastAPI, secret_of: SecretOf
) -> None:
    transport = httpx.ASGITransport(running)
    async with httpx.AsyncClient(transport=transport, base_url="https://framegate") as browser:
        answer = await browser.post("/sign-in", data={"key": secret_of("reader")})

    assert "secure" in answer.headers["Set-Cookie"].lower()


@pytest.mark.parametrize("form", [{}, {"key": ""}, {"key": "fg_wrong_key"}, {"link": "wrong"}])
async def test_what_is_wrong_is_said_on_the_page_and_opens_nothing(
    stranger: httpx.AsyncClient, form: dict[str, str]
) -> None:
    answer = await stranger.post("/sign-in", data=form)

    assert answer.status_code == 401
    assert 'role="alert"' in answer.text
    assert "set-cookie" not in answer.headers
    assert (await stranger.get(UI)).status_code == 401


async def test_whoever_guesses_keys_has_to_wait(stranger: httpx.AsyncClient) -> None:
    answers = [
        await stranger.post("/sign-in", data={"key": f"fg_guess_{number}"}) for number in range(21)
    ]

    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "javascript:alert(1)",
        "/api/v1/keys",
        "/dagster",
        "/dagster/\r\nSet-Cookie: a=b",
    ],
)
async def test_signing_in_leads_nowhere_but_to_the_ui(
    stranger: httpx.AsyncClient, secret_of: SecretOf, wanted: str
) -> None:
    shown = await stranger.get("/sign-in", params={"next": wanted})
    answer = await stranger.post("/sign-in", data={"key": secret_of("reader"), "next": wanted})

    assert 'name="next" value="/dagster/"' in shown.text
    assert answer.headers["Location"] == UI


async def test_the_page_shows_no_markup_of_the_address(stranger: httpx.AsyncClient) -> None:
    shown = await stranger.get("/sign-in", params={"next": '/dagster/"><script>alert(1)</script>'})

    assert "<script>alert" not in shown.text


async def test_the_page_loads_nothing_and_may_not_be_framed(stranger: httpx.AsyncClient) -> None:
    shown = await stranger.get("/sign-in")

    policy = shown.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "src=" not in shown.text
    assert "http" not in shown.text
    assert shown.headers["Cache-Control"] == "no-store"


async def test_signing_out_ends_the_session_for_everybody_who_has_its_token(
    stranger: httpx.AsyncClient, secret_of: SecretOf
) -> None:
    await stranger.post("/sign-in", data={"key": secret_of("reader")})
    stolen = dict(stranger.cookies)
    await stranger.post("/sign-out")
    stranger.cookies.update(stolen)

    assert (await stranger.get(UI)).status_code == 401


async def test_revoking_the_key_ends_its_sessions(
    stranger: httpx.AsyncClient, secret_of: SecretOf, services: Services
) -> None:
    await stranger.post("/sign-in", data={"key": secret_of("reader")})
    assert (await stranger.get(UI)).status_code == 200
    [key] = list_keys(services.database)
    revoke_key(services.database, key.id)
    services.authenticator._trust_seconds = 0.0

    assert (await stranger.get(UI)).status_code == 401


async def test_a_session_does_what_its_keys_role_may(
    stranger: httpx.AsyncClient, secret_of: SecretOf
) -> None:
    mutation = {"query": "mutation { reloadWorkspace { __typename } }"}
    await stranger.post("/sign-in", data={"key": secret_of("reader")})
    refused = await stranger.post("/dagster/graphql", json=mutation)
    await stranger.post("/sign-in", data={"key": secret_of("engineer")})
    done = await stranger.post("/dagster/graphql", json=mutation)

    assert (refused.status_code, done.status_code) == (403, 200)


async def test_the_page_says_who_is_signed_in(
    stranger: httpx.AsyncClient, secret_of: SecretOf
) -> None:
    await stranger.post("/sign-in", data={"key": secret_of("engineer", "ana")})
    shown = await stranger.get("/sign-in")

    assert "ana" in shown.text
    assert "engineer" in shown.text
    assert 'action="/sign-out"' in shown.text


@pytest.fixture
def link(services: Services, secret_of: SecretOf) -> str:
    """The secret of a link of an administrator."""
    secret_of("admin")
    [key] = list_keys(services.database)
    return create_link(services.home, "http://framegate", key.id).partition("#")[2]


async def test_a_link_signs_in_once(stranger: httpx.AsyncClient, link: str) -> None:
    first = await stranger.post("/sign-in", data={"link": link})
    opened = await stranger.get(UI)
    second = await stranger.post("/sign-in", data={"link": link})

    assert (first.status_code, opened.status_code, second.status_code) == (303, 200, 401)


async def test_looking_at_a_link_does_not_use_it(
    stranger: httpx.AsyncClient, services: Services, link: str
) -> None:
    await stranger.get("/sign-in", params={"link": link})

    assert len([*services.home.sign_in_links.iterdir()]) == 1
    assert (await stranger.post("/sign-in", data={"link": link})).status_code == 303


async def test_an_old_link_signs_nobody_in(
    stranger: httpx.AsyncClient,
    services: Services,
    secret_of: SecretOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(links, "_LIFE_SECONDS", -1)
    secret_of("admin")
    [key] = list_keys(services.database)
    secret = create_link(services.home, "", key.id).partition("#")[2]

    assert (await stranger.post("/sign-in", data={"link": secret})).status_code == 401


async def test_the_disk_holds_no_link(services: Services, link: str) -> None:
    [file] = Home(services.home.root).sign_in_links.iterdir()

    assert link not in file.name + file.read_text()


async def test_the_root_leads_to_the_ui(stranger: httpx.AsyncClient) -> None:
    answer = await stranger.get("/")

    assert (answer.status_code, answer.headers["Location"]) == (303, UI)
