"""The example of an error is what the app says, word for word."""

import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.app import create_app, create_services
from api.auth.keys import create_key
from api.auth.roles import Role
from api.dagster.transport import GraphqlTransport
from api.settings import Settings
from contracts.run import CANCELLATION_FAILED_TAG, KIND, KIND_TAG, pipeline_tags
from tests.api.fake_dagster import FakeDagster, dagster_schema

pytestmark = pytest.mark.anyio

JOBS = "/api/v1/jobs"
JOB = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
MEDIA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
VALIDATE = "/api/v1/pipelines/validate"
#: What is another one each time: times, ids of requests, seconds to wait, what is installed.
_VOLATILE = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r'"request_id": "\w+"'), "ID"),
    (re.compile(r"\d+ s\."), "SECONDS"),
    (re.compile(r"Known pipelines: [\w, ]+"), "NAMES"),
)

Ask = Callable[..., Awaitable[httpx.Response]]
Way = Callable[[Ask, FakeDagster], Awaitable[httpx.Response]]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def dagster() -> FakeDagster:
    return FakeDagster(dagster_schema())


@pytest.fixture
def ask(dagster: FakeDagster, tmp_path: Path) -> Ask:
    """Asks the app with a key of the role, or without one."""
    transport = GraphqlTransport(
        "http://dagster", timeout=60.0, transport=httpx.MockTransport(dagster.handle)
    )
    services = create_services(
        Settings(home=tmp_path / "home", allowed_hosts=("framegate",)), transport=transport
    )
    services.database.migrate()
    keys = {role: create_key(services.database, role=role, name=role)[1] for role in Role}

    async def ask(
        method: str, path: str, role: Role | None = Role.ADMIN, key: str = "", **request: Any
    ) -> httpx.Response:
        app = httpx.ASGITransport(create_app(services=services))
        async with httpx.AsyncClient(transport=app, base_url="http://framegate") as client:
            if role or key:
                client.headers["X-API-Key"] = key or keys[role or Role.ADMIN]
            return await client.request(method, path, **request)

    return ask


async def no_json(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    return await ask("POST", VALIDATE, content=b"", headers={"Content-Type": "application/json"})


async def no_key(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    return await ask("GET", JOBS, role=None)


async def a_readers_submission(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    return await ask("POST", JOBS, role=Role.READER, json={})


async def unknown_job(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    return await ask("GET", f"{JOBS}/{JOB}")


async def unknown_pipeline(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    return await ask("GET", "/api/v1/pipelines/face_detecton")


async def five_megabytes(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    return await ask("POST", JOBS, json={"media": "x" * 5_000_000})


async def plain_text(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    return await ask("POST", VALIDATE, content=b"{}", headers={"Content-Type": "text/plain"})


async def many_wrong_keys(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    for number in range(25):
        answer = await ask("GET", JOBS, key=f"fg_wrong_key_{number}")
    return answer


async def crash_within(ask: Ask, dagster: FakeDagster) -> httpx.Response:
    def crash(_request: httpx.Request) -> httpx.Response:
        raise RuntimeError("nobody foresaw this")

    dagster.transport_reply = crash
    return await ask("GET", JOBS)


async def dagster_away(ask: Ask, dagster: FakeDagster) -> httpx.Response:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    dagster.transport_reply = refuse
    return await ask("GET", JOBS)


async def processes_that_cannot_be_killed(ask: Ask, dagster: FakeDagster) -> httpx.Response:
    note = json.dumps({"pids": [4242], "signal": "SIGKILL", "host": "gpu-1"})
    dagster.add(id=JOB, status="STARTED", tags={KIND_TAG: KIND, CANCELLATION_FAILED_TAG: note})
    return await ask("POST", f"{JOBS}/{JOB}/cancel")


def add_job(dagster: FakeDagster, status: str) -> None:
    tags = {KIND_TAG: KIND, **pipeline_tags(["face_detection"])}
    dagster.add(id=JOB, status=status, tags=tags)


async def misspelt_parameter(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    return await ask("GET", f"{JOBS}?per_pag=50")


async def missing_result(ask: Ask, dagster: FakeDagster) -> httpx.Response:
    add_job(dagster, "SUCCESS")
    return await ask("GET", f"{JOBS}/{JOB}/results/face_detection/faces.json")


async def unknown_media(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    return await ask("POST", JOBS, json={"media": MEDIA})


async def unknown_key(ask: Ask, _dagster: FakeDagster) -> httpx.Response:
    return await ask("DELETE", "/api/v1/keys/5f2b1c9a7e3d4806")


async def deletion_of_a_running_job(ask: Ask, dagster: FakeDagster) -> httpx.Response:
    add_job(dagster, "STARTED")
    return await ask("DELETE", f"{JOBS}/{JOB}")


async def strict_cancellation_of_a_completed_job(ask: Ask, dagster: FakeDagster) -> httpx.Response:
    add_job(dagster, "SUCCESS")
    return await ask("POST", f"{JOBS}/{JOB}/cancel?strict=true")


async def retry_of_a_completed_job(ask: Ask, dagster: FakeDagster) -> httpx.Response:
    add_job(dagster, "SUCCESS")
    return await ask("POST", f"{JOBS}/{JOB}/retry")


WAYS: dict[str, Way] = {
    "NotJson": no_json,
    "UnknownParameter": misspelt_parameter,
    "Unauthorized": no_key,
    "Forbidden": a_readers_submission,
    "JobNotFound": unknown_job,
    "PipelineNotFound": unknown_pipeline,
    "PayloadTooLarge": five_megabytes,
    "UnsupportedMedia": plain_text,
    "RateLimited": many_wrong_keys,
    "InternalServerError": crash_within,
    "OrchestratorUnavailable": dagster_away,
    "ResultNotFound": missing_result,
    "MediaNotFound": unknown_media,
    "KeyNotFound": unknown_key,
    "JobNotFinished": deletion_of_a_running_job,
    "CancelledTooLate": strict_cancellation_of_a_completed_job,
    "NothingToRetry": retry_of_a_completed_job,
    "CancellationFailed": processes_that_cannot_be_killed,
}
#: They take a real file, or a machine that lacks something: see tests/api/http/test_error_codes.py.
TOLD_ELSEWHERE = {
    "DatabaseUnavailable",
    "GpuOutOfMemory",
    "InvalidConfig",
    "KeyInFlight",
    "KeyWithAnotherBody",
    "ProbeUnavailable",
    "RangeOutsideOfFile",
    "StorageFull",
    "ValidationUnavailable",
}


def steady(body: Any) -> str:
    """Without what is another one each time."""
    text = json.dumps(body)
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return text


@pytest.fixture
def examples(contracts: Any) -> Any:
    return contracts.documents["error-examples.yaml"]["components"]["examples"]


@pytest.mark.parametrize("name", list(WAYS))
async def test_the_app_says_what_the_example_says(
    ask: Ask, dagster: FakeDagster, examples: Any, name: str
) -> None:
    answer = await WAYS[name](ask, dagster)
    assert steady(answer.json()) == steady(examples[name]["value"])


def test_every_other_example_is_known_to_be_seen_elsewhere(examples: Any) -> None:
    assert examples.keys() - WAYS.keys() == TOLD_ELSEWHERE
