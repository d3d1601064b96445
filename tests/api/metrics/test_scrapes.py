"""A scrape itself: who may, in which format, many at once, and of which app."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics import parser as openmetrics

from api.app import create_app, create_services
from api.dependencies import Services
from api.settings import Settings
from tests.api.metrics.samples import samples

pytestmark = pytest.mark.anyio


async def test_many_scrapes_at_once_are_one_look(dagster: Any, admin: httpx.AsyncClient) -> None:
    questions: list[httpx.Request] = []
    handle = dagster.handle

    def counting(request: httpx.Request) -> httpx.Response:
        questions.append(request)
        dagster.transport_reply = None
        try:
            return handle(request)
        finally:
            dagster.transport_reply = counting

    dagster.transport_reply = counting
    answers = await asyncio.gather(*(admin.get("/metrics") for _ in range(20)))

    assert {answer.status_code for answer in answers} == {200}
    assert len(questions) == 2


async def test_openmetrics_is_given_to_whom_asks_for_it(admin: httpx.AsyncClient) -> None:
    accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.2"
    answer = await admin.get("/metrics", headers={"Accept": accept})

    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {
        family.name: family for family in openmetrics.text_string_to_metric_families(answer.text)
    }
    assert families["framegate_queue_oldest_wait_seconds"].unit == "seconds"
    assert all(family.documentation for family in families.values())


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "application/openmetrics;;=,", "é"])
async def test_everybody_else_gets_text(admin: httpx.AsyncClient, accept: str) -> None:
    answer = await admin.get("/metrics", headers={"Accept": accept.encode()})

    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert samples(answer.text)


async def test_a_reader_may_scrape_with_a_bearer_token_and_nobody_without(
    stranger: httpx.AsyncClient, secret_of: Callable[..., str]
) -> None:
    bearer = {"Authorization": f"Bearer {secret_of('reader')}"}

    assert (await stranger.get("/metrics")).status_code == 401
    assert (await stranger.get("/metrics", headers=bearer)).status_code == 200


async def test_two_apps_in_one_process_have_metrics_of_their_own(
    services: Services, settings: Settings, admin: httpx.AsyncClient, read: Any
) -> None:
    other = create_services(settings)
    create_app(services=other)
    await admin.get("/nowhere")

    text, _ = await other.metrics.scrape("")
    other.database.close()

    assert not [name for name, _ in samples(text.decode()) if "requests" in name]
    assert services.metrics.registry is not other.metrics.registry
    assert [name for name, _ in await read() if "requests" in name]
