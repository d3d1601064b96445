"""What `/metrics` says of requests: their number grows, that of the time series does not."""

from typing import Any

import httpx
import pytest

from api.metrics.labels import LabelValues
from tests.api.metrics.samples import value

pytestmark = pytest.mark.anyio


async def test_requests_are_counted_by_template_and_class_of_status(
    admin: httpx.AsyncClient, read: Any
) -> None:
    for number in range(3):
        await admin.get(f"/api/v1/jobs/00000000-0000-0000-0000-00000000000{number}")

    found = await read()

    labels = {"method": "GET", "route": "/api/v1/jobs/{job_id}"}
    assert value(found, "framegate_http_requests_total", status="4xx", **labels) == 3
    assert value(found, "framegate_http_request_duration_seconds_count", **labels) == 3


async def test_hostile_requests_make_no_time_series_of_their_own(
    stranger: httpx.AsyncClient, read: Any
) -> None:
    await stranger.get("/seen/before")
    await stranger.request("BREW", "/seen/before")
    before = await read()
    for number in range(300):
        await stranger.request(f"BREW{number}", f"/nowhere/{number}")
        await stranger.get(f"/nowhere/{number}?x={number}", headers={"X-Request-ID": str(number)})

    after = await read()

    requests = {labels for name, labels in after if name == "framegate_http_requests_total"}
    known = {labels for name, labels in before if name == "framegate_http_requests_total"}
    assert len(requests - known) <= 1  # that of the first scrape itself
    labels = {"method": "GET", "route": "unmatched", "status": "4xx"}
    assert value(after, "framegate_http_requests_total", **labels) == 301


def test_label_values_are_let_through_until_there_are_too_many() -> None:
    values = LabelValues(most=2)

    assert [values.bounded(name) for name in ("a", "b", "c", "a")] == ["a", "b", "other", "a"]
