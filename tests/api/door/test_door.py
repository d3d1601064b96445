"""Who gets through the door to Dagster, and with what."""

import json
from collections.abc import Callable
from itertools import product
from typing import Any

import httpx
import pytest

from tests.api.door.conftest import Upstream
from tests.api.door.documents import MUTATIONS, NOT_UNDERSTOOD, QUERIES

pytestmark = pytest.mark.anyio

LOOKING = {"query": "{ version }"}
CHANGING = {"query": "mutation { reloadWorkspace { __typename } }"}
REPORT = "/dagster/report_asset_materialization/annotations/x"
OWN = "http://framegate"

ClientOf = Callable[..., httpx.AsyncClient]


@pytest.mark.parametrize("path", ["/dagster", "/dagster/", "/dagster/runs/x", "/dagster/graphql"])
async def test_nobody_comes_in_without_a_key(
    stranger: httpx.AsyncClient, upstream: Upstream, path: str
) -> None:
    assert (await stranger.get(path)).status_code == 401
    assert upstream.reached == []


async def test_a_browser_is_led_to_the_sign_in_page_and_back(
    stranger: httpx.AsyncClient, upstream: Upstream
) -> None:
    answer = await stranger.get("/dagster/runs/x?a=b", headers={"Accept": "text/html,*/*"})

    assert answer.status_code == 303
    assert answer.headers["Location"] == "/sign-in?next=/dagster/runs/x%3Fa%3Db"
    assert upstream.reached == []


@pytest.mark.parametrize(
    ("role", "access"),
    [("reader", "read"), ("annotator", "read"), ("engineer", "write"), ("admin", "write")],
)
async def test_everybody_with_a_key_may_look(
    client_of: ClientOf, upstream: Upstream, role: str, access: str
) -> None:
    client = client_of(role)
    page = await client.get("/dagster/runs/x?a=b")
    answer = await client.post("/dagster/graphql", json=LOOKING)

    assert (page.status_code, answer.json()) == (200, {"data": {}})
    assert [(each.method, each.path, each.query) for each in upstream.reached] == [
        ("GET", "/dagster/runs/x", "a=b"),
        ("POST", "/dagster/graphql", ""),
    ]
    for each in upstream.reached:
        assert (each.headers["framegate-user"], each.headers["framegate-access"]) == (role, access)


async def test_a_reader_may_ask_every_query(client_of: ClientOf, upstream: Upstream) -> None:
    client = client_of("reader")
    for document in QUERIES.values():
        answer = await client.post("/dagster/graphql", json={"query": document})
        assert answer.is_success, document
    assert len(upstream.reached) == len(QUERIES)


@pytest.mark.parametrize("role", ["reader", "annotator"])
async def test_no_mutation_is_for_readers_and_annotators(
    client_of: ClientOf, upstream: Upstream, role: str
) -> None:
    client = client_of(role)
    for document, operation in product(MUTATIONS.values(), (None, "A", "B", "M")):
        question = {"query": document, "operationName": operation}
        answer = await client.post("/dagster/graphql", json=question)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN"), document
    assert upstream.reached == []


@pytest.mark.parametrize("role", ["engineer", "admin"])
async def test_mutations_are_for_engineers_and_admins(
    client_of: ClientOf, upstream: Upstream, role: str
) -> None:
    client = client_of(role)
    for document in MUTATIONS.values():
        assert (await client.post("/dagster/graphql", json={"query": document})).is_success
    asked = [json.loads(each.body)["query"] for each in upstream.reached]
    assert asked == [*MUTATIONS.values()]


async def test_what_cannot_be_understood_is_refused_to_everybody(
    admin: httpx.AsyncClient, upstream: Upstream
) -> None:
    for document in NOT_UNDERSTOOD.values():
        answer = await admin.post("/dagster/graphql", json={"query": document})
        assert answer.status_code == 400, document[:100]
    assert upstream.reached == []


@pytest.mark.parametrize("path", ["/dagster/graphql", "/dagster/graphql/", "/dagster/%67raphql"])
@pytest.mark.parametrize("accept", ["application/json", "text/html"])
async def test_get_never_changes_anything(
    admin: httpx.AsyncClient, upstream: Upstream, path: str, accept: str
) -> None:
    for document in MUTATIONS.values():
        answer = await admin.get(path, params={"query": document}, headers={"Accept": accept})
        assert answer.status_code == 405, document
    assert upstream.reached == []


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_a_query_by_get_is_written_anew(
    client_of: ClientOf, upstream: Upstream, method: str
) -> None:
    asked = {"query": "{ version }", "variables": '{"a": 1}', "more": "x"}
    await client_of("reader").request(method, "/dagster/graphql", params=asked)

    [reached] = upstream.reached
    assert dict(httpx.QueryParams(reached.query)) == {
        "query": "{ version }",
        "variables": '{"a": 1}',
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_do_not_get_through(
    admin: httpx.AsyncClient, upstream: Upstream, method: str
) -> None:
    answer = await admin.request(method, "/dagster/graphql", json=CHANGING)

    assert answer.status_code == 405
    assert upstream.reached == []


@pytest.mark.parametrize(
    "path",
    [
        "/dagster/graphql%0a",
        "/dagster/graphql%00",
        "/dagster/x/..%2fgraphql",
        "/dagster/%2e%2e/graphql",
        "/dagster/.%2fgraphql",
        "/dagster/x%5cgraphql",
        "/dagster/logs/..%2f..%2f..%2fframegate%2fdb",
        "/dagster/notebook",
        "/dagster/dagit/notebook",
    ],
)
async def test_addresses_that_could_be_read_in_two_ways_are_refused(
    admin: httpx.AsyncClient, upstream: Upstream, path: str
) -> None:
    assert (await admin.get(path, params=CHANGING)).status_code == 404
    assert upstream.reached == []


@pytest.mark.parametrize(
    "content_type",
    [
        "application/graphql",
        "text/plain",
        "text/plain; application/json",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded",
    ],
)
async def test_questions_come_as_json_alone(
    admin: httpx.AsyncClient, upstream: Upstream, content_type: str
) -> None:
    """Others are what a form of any page can send, and where Dagster reads the query string."""
    answer = await admin.post(
        "/dagster/graphql",
        params=CHANGING,
        content=json.dumps(CHANGING),
        headers={"Content-Type": content_type},
    )

    assert answer.status_code == 415
    assert upstream.reached == []


@pytest.mark.parametrize(
    "body",
    [
        json.dumps([CHANGING]),
        json.dumps([LOOKING, CHANGING]),
        '{"query": "{ version }", "query": "mutation { reloadWorkspace { __typename } }"}',
        '{"query": "mutation { reloadWorkspace { __typename } }", "query": "{ version }"}',
        json.dumps({"extensions": {"persistedQuery": {"sha256Hash": "a" * 64}}}),
        json.dumps(CHANGING)[:-1],
    ],
)
async def test_batches_persisted_documents_and_fields_given_twice_are_refused(
    admin: httpx.AsyncClient, upstream: Upstream, body: str
) -> None:
    answer = await admin.post(
        "/dagster/graphql", content=body, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 400
    assert upstream.reached == []


async def test_a_query_in_the_address_does_not_replace_the_one_in_the_body(
    client_of: ClientOf, upstream: Upstream
) -> None:
    await client_of("reader").post("/dagster/graphql", params=CHANGING, json=LOOKING)

    [reached] = upstream.reached
    assert reached.query == ""
    assert json.loads(reached.body)["query"] == LOOKING["query"]


FOREIGN: list[dict[str, str]] = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://framegate:8000"},
    {"Origin": "https://framegate"},
    {"Origin": "http://framegate.evil.example"},
    {"Origin": "http://framegate@evil.example"},
    {"Origin": "http://127.0.0.1:9999"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": OWN},
    {"Host": "evil.example"},
    {"Host": "evil.example", "Origin": "http://evil.example"},
    {"Host": "evil@127.0.0.1"},
    {"Host": "evil@framegate"},
    {"Host": "framegate.evil.example"},
    {"Host": ""},
]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/dagster/graphql", CHANGING),
        (REPORT, {}),
        ("/api/v1/keys", {"name": "evil", "role": "admin"}),
        ("/sign-in", {}),
        ("/sign-out", {}),
    ],
)
async def test_a_page_from_elsewhere_changes_nothing(
    admin: httpx.AsyncClient, upstream: Upstream, path: str, body: Any
) -> None:
    """Even with a key: whatever a browser has, a page from elsewhere may not use it."""
    for headers in FOREIGN:
        answer = await admin.post(path, json=body, headers=headers)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "FORBIDDEN"), headers
    assert upstream.reached == []
    assert len((await admin.get("/api/v1/keys")).json()["keys"]) == 1


OURS: list[dict[str, str]] = [
    {"Origin": OWN},
    {"Origin": OWN, "Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8000"},
    {"Host": "[::1]:8000", "Origin": "http://[::1]:8000"},
    {"Host": "localhost"},
]


async def test_our_own_pages_and_programs_come_through(
    admin: httpx.AsyncClient, upstream: Upstream
) -> None:
    for headers in OURS:
        answer = await admin.post("/dagster/graphql", json=CHANGING, headers=headers)
        assert answer.is_success, headers
    assert len(upstream.reached) == len(OURS)


@pytest.mark.parametrize(
    "report", ["report_asset_materialization", "report_asset_check", "report_asset_observation"]
)
@pytest.mark.parametrize(
    ("role", "status"), [("reader", 403), ("annotator", 403), ("engineer", 200), ("admin", 200)]
)
async def test_asset_events_are_reported_by_engineers_alone(
    client_of: ClientOf, upstream: Upstream, report: str, role: str, status: int
) -> None:
    answer = await client_of(role).post(f"/dagster/{report}/annotations/x", json={"a": 1})

    assert answer.status_code == status
    assert len(upstream.reached) == (status == 200)


async def test_nothing_else_can_be_posted_to(admin: httpx.AsyncClient, upstream: Upstream) -> None:
    for path in (
        "/dagster/",
        "/dagster/runs/x",
        "/dagster/report_asset_other/x",
        "/dagster/logs/x",
    ):
        assert (await admin.post(path, json={})).status_code == 404
    assert upstream.reached == []


async def test_dagster_learns_nothing_from_the_client_but_what_was_judged(
    client_of: ClientOf, upstream: Upstream
) -> None:
    forged = {
        "Framegate-User": "somebody",
        "Framegate-Access": "write",
        "FRAMEGATE_USER": "somebody",
        "Cookie": "framegate_session_8000=x",
        "X-Forwarded-For": "203.0.113.9",
        "Authorization": "Bearer x",
    }
    await client_of("reader").post("/dagster/graphql", json=LOOKING, headers=forged)

    [reached] = upstream.reached
    assert (reached.headers["framegate-user"], reached.headers["framegate-access"]) == (
        "reader",
        "read",
    )
    assert "somebody" not in reached.headers.values()
    assert reached.headers.keys().isdisjoint(
        {"cookie", "x-api-key", "authorization", "x-forwarded-for"}
    )


async def test_dagster_sets_no_cookies(admin: httpx.AsyncClient, upstream: Upstream) -> None:
    assert "set-cookie" not in (await admin.get("/dagster/")).headers
    assert len(upstream.reached) == 1


async def test_a_dagster_that_is_away_is_told_as_such(admin: httpx.AsyncClient) -> None:
    answer = await admin.get("/dagster/")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
