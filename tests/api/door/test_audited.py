"""What is done through the door is in the audit log, with who did it; what is only read is not."""

import json
from collections.abc import Callable

import httpx
import pytest

from api.settings import Settings
from tests.api.door.conftest import Upstream

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("upstream")]

REPORT = "/dagster/report_asset_materialization/annotations/x"


def actions(settings: Settings) -> list[dict[str, object]]:
    path = settings.paths.audit
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def test_every_mutation_is_recorded_by_name(
    client_of: Callable[..., httpx.AsyncClient], settings: Settings
) -> None:
    document = "mutation A { launchRun { x } again: launchRun { x } } query B { version }"
    asked = {"query": document, "operationName": "B"}
    answer = await client_of("engineer", "ada").post("/dagster/graphql", json=asked)

    [line] = actions(settings)
    assert (line["action"], line["by"]) == ("ui.change", "ada")
    assert line["changes"] == ["launchRun", "launchRun"]
    assert line["request_id"] == answer.headers["x-request-id"]


async def test_a_report_is_recorded(
    client_of: Callable[..., httpx.AsyncClient], settings: Settings
) -> None:
    await client_of("engineer").post(REPORT, json={})

    [line] = actions(settings)
    assert line["path"] == REPORT.removeprefix("/dagster")


async def test_neither_looking_nor_what_is_refused_is_recorded(
    client_of: Callable[..., httpx.AsyncClient], settings: Settings, upstream: Upstream
) -> None:
    reader = client_of("reader")
    await reader.get("/dagster/runs")
    await reader.post("/dagster/graphql", json={"query": "{ version }"})
    await reader.post("/dagster/graphql", json={"query": "mutation { launchRun { x } }"})
    await reader.post(REPORT, json={})

    assert len(upstream.reached) == 2
    assert actions(settings) == []


async def test_signing_in_and_out_is_recorded(
    stranger: httpx.AsyncClient, secret_of: Callable[..., str], settings: Settings
) -> None:
    own = {"Origin": "http://framegate"}
    await stranger.post("/sign-in", data={"key": "fg_wrong"}, headers=own)
    await stranger.post("/sign-in", data={"key": secret_of("reader", "bob")}, headers=own)
    await stranger.post("/sign-out", headers=own)

    assert [(line["action"], line["by"]) for line in actions(settings)] == [
        ("sign_in", "bob"),
        ("sign_out", "bob"),
    ]
