"""Waiting for a job, whatever happens to the server meanwhile."""

from collections.abc import Callable

import httpx
import pytest

from api.cli import wait
from api.cli.client import Client
from api.cli.errors import CommandError, UnreachableError
from api.cli.wait import wait_for

JOB = {"id": "1", "status": "running", "selected_pipelines": ["speech_activity"]}
COMPLETED = {**JOB, "status": "completed"}

Answer = Callable[[httpx.Request], httpx.Response]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wait, "_POLL_SECONDS", 0.0)


def _refuse(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("refused", request=request)


def _starting(_request: httpx.Request) -> httpx.Response:
    error = {"code": "ORCHESTRATOR_UNAVAILABLE", "message": "Dagster is just starting."}
    return httpx.Response(503, json={"error": error})


def _forbid(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(403, json={"error": {"code": "FORBIDDEN", "message": "Not yours."}})


def _complete(_request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, json=COMPLETED)


def _server(*answers: Answer) -> Client:
    """Gives one answer after the other, the last one for good."""
    waiting = list(answers)

    def answer(request: httpx.Request) -> httpx.Response:
        return (waiting.pop(0) if len(waiting) > 1 else waiting[0])(request)

    return Client(httpx.Client(transport=httpx.MockTransport(answer), base_url="http://here"))


@pytest.mark.parametrize("away", [_refuse, _starting])
def test_a_server_that_is_away_for_a_moment_ends_no_waiting(away: Answer) -> None:
    assert wait_for(_server(away, away, _complete), JOB, quiet=True) == COMPLETED


@pytest.mark.parametrize("away", [_refuse, _starting])
def test_a_server_that_stays_away_is_told_with_exit_code_3(
    away: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wait, "_PATIENCE_SECONDS", 0.0)
    with pytest.raises(UnreachableError) as caught:
        wait_for(_server(away), JOB, quiet=True)

    assert caught.value.exit_code == 3


def test_what_will_not_get_better_is_told_at_once() -> None:
    with pytest.raises(CommandError, match="Not yours") as caught:
        wait_for(_server(_forbid, _complete), JOB, quiet=True)

    assert caught.value.exit_code == 1
