"""A key may come with a webhook: its secret is shown once, and it ends with the key."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.auth.keys import list_keys
from api.dependencies import Services
from contracts.webhook import SECRET_PREFIX, check_url, read_targets

pytestmark = pytest.mark.anyio

KEYS = "/api/v1/keys"
URL = "https://lab.example:8443/hooks/s3cret-path?token=x"


@pytest.fixture
def create(admin: httpx.AsyncClient) -> Callable[..., Any]:
    async def create(name: str, url: str | None = URL) -> httpx.Response:
        body = {"name": name, "role": "annotator", "webhook_url": url}
        return await admin.post(KEYS, json=body)

    return create


async def test_the_secret_is_shown_once_and_of_the_address_the_host_alone(
    create: Any, admin: httpx.AsyncClient, services: Services
) -> None:
    made = (await create("alice")).json()
    [target] = read_targets(services.home)
    assert made["webhook_secret"] == target.secret
    assert target.secret.startswith(SECRET_PREFIX)
    assert (target.url, target.owner, target.key_id) == (URL, "alice", made["id"])
    listed = await admin.get(KEYS)
    assert target.secret not in listed.text
    assert "s3cret" not in listed.text
    hosts = {key["name"]: key["webhook_host"] for key in listed.json()["keys"]}
    assert hosts == {"admin": None, "alice": "lab.example"}


async def test_nobody_else_may_read_the_secret_on_the_disk(create: Any, services: Services) -> None:
    await create("alice")
    path = services.home.webhook_target("alice")
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


async def test_a_webhook_that_cannot_be_written_makes_no_key(
    create: Any, services: Services
) -> None:
    """The secret was never shown: the name is free for another try."""
    folder = services.home.webhook_target("alice").parent
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("in the way")
    assert (await create("alice")).status_code == 500
    folder.unlink()
    assert (await create("alice")).status_code == 201
    assert [key.name for key in list_keys(services.database) if not key.revoked_at] == [
        "admin",
        "alice",
    ]


async def test_a_key_without_a_webhook_has_none(create: Any, services: Services) -> None:
    made = (await create("alice", None)).json()
    assert (made["webhook_secret"], made["webhook_host"]) == (None, None)
    assert read_targets(services.home) == []


@pytest.mark.parametrize(
    "url",
    ["ftp://lab.example", "lab.example", "https://", "https://me:pw@lab.example", "http://a b/"],
)
async def test_what_is_no_address_makes_no_key(create: Any, services: Services, url: str) -> None:
    answer = await create("alice", url)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "webhook_url")
    assert [key.name for key in list_keys(services.database)] == ["admin"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9000/", "http://10.0.0.7/x", "http://[::1]/"])
def test_private_addresses_are_allowed(url: str) -> None:
    assert check_url(url) == url


async def test_the_webhook_ends_with_its_key_and_with_no_other(
    create: Any, admin: httpx.AsyncClient, services: Services
) -> None:
    first = (await create("alice")).json()["id"]
    assert (await admin.delete(f"{KEYS}/{first}")).status_code == 204
    assert read_targets(services.home) == []
    second = (await create("alice")).json()["id"]
    assert (await admin.delete(f"{KEYS}/{first}")).status_code == 204
    assert [target.key_id for target in read_targets(services.home)] == [second]
