"""The events of a job, as a client that was there before reads them."""

from typing import Any

import httpx
import pytest

from tests.contract.existing_clients.conftest import Told, read_events

ENDED = {"completed", "failed", "cancelled"}
EVENTS = {"job.update", "job.complete", "job.error", "job.cancelled"}

pytestmark = pytest.mark.slow


def test_events_have_the_names_ids_and_data_that_clients_read(
    job_and_events: tuple[dict[str, Any], list[Told]],
) -> None:
    job, events = job_and_events
    assert {event.name for event in events} <= EVENTS
    assert [event.name for event in events][-1] == "job.complete"
    assert len({event.id for event in events}) == len(events) >= 2
    assert {event.data["job_id"] for event in events} == {job["id"]}
    assert events[0].data["status"] not in ENDED


def test_a_stream_goes_on_after_the_last_id_seen(
    client: httpx.Client, job_and_events: tuple[dict[str, Any], list[Told]]
) -> None:
    job, events = job_and_events
    address = f"/api/v1/jobs/{job['id']}/events"
    with client.stream("GET", address, headers={"Last-Event-ID": events[0].id}) as answer:
        resumed = list(read_events(answer))
    assert events[0].id not in {event.id for event in resumed}
    assert resumed[-1].name == "job.complete"
    over = client.get(address, headers={"Last-Event-ID": events[-1].id})
    assert over.status_code == 204
