"""From every listed error code, with each of its statuses, one real way to get it."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType
from typing import Any

import httpx
import pytest
import uvicorn
import yaml

from api.__main__ import server_config
from api.app import create_app
from api.auth.authenticator import Authenticator
from api.auth.keys import create_key
from api.auth.roles import Role
from api.database.database import Database
from api.dependencies import Services
from api.health.deadline import Deadline
from api.health.devices import CachedDevices
from api.http.connections import Connections
from api.http.protocol import EnvelopeProtocol
from contracts.run import CANCELLATION_FAILED_TAG, KIND, KIND_TAG, OWNER_TAG, pipeline_tags
from pipelines.registry.catalog import BrokenEntry, Catalog
from pipelines.registry.devices import Device

pytestmark = pytest.mark.anyio

CONTRACTS = Path(__file__).parents[3] / "contracts"
JOBS = "/api/v1/jobs"
#: No server is ever there.
CLOSED_PORT = 9


@dataclass(frozen=True)
class TinyGpu:
    """An inventory of one GPU that hardly anything fits."""

    def devices(self) -> tuple[Device, ...]:
        return (Device("GPU-1", "tiny", 10**6, 10**6),)

    def held(self, _uuid: str) -> dict[int, int]:
        return {}


@dataclass(frozen=True)
class Stage:
    """Services that a way may exchange, and a Dagster that does what it is told."""

    services: Services
    dagster: Any
    clip: bytes

    async def ask(
        self, method: str, path: str, *, role: Role | None = Role.ADMIN, **request: Any
    ) -> httpx.Response:
        app = create_app(services=self.services)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://framegate") as client:
            if role:
                client.headers["X-API-Key"] = self.key_of(role)
            return await client.request(method, path, **request)

    async def send(
        self, text: bytes, protocol: type[EnvelopeProtocol] = EnvelopeProtocol
    ) -> httpx.Response:
        """What a server answers to this, until it hangs up."""
        config = server_config(
            create_app(services=self.services),
            self.services.settings.model_copy(update={"port": 0}),
        )
        config.http = partial(protocol, open_connections=Connections(10))  # type: ignore[assignment]
        server = uvicorn.Server(config)
        with closing(config.bind_socket()) as listener:
            listener.listen()
            serving = asyncio.create_task(server.serve([listener]))
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(text)
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            writer.close()
            server.should_exit = True
            await serving
        status, *headers = head.split(b"\r\n")
        return httpx.Response(
            int(status.split()[1]),
            headers=[header.split(b": ", 1) for header in headers],
            content=body,
        )

    def key_of(self, role: Role) -> str:
        return create_key(self.services.database, role=role, name=f"{role}-{token_hex(4)}")[1]

    def with_settings(self, **changes: Any) -> "Stage":
        settings = self.services.settings.model_copy(update=changes)
        return replace(self, services=replace(self.services, settings=settings))

    async def upload(self, **fields: str) -> httpx.Response:
        return await self.ask("POST", JOBS, files={"video": ("a.mp4", self.clip)}, data=fields)


Way = Callable[[Stage], Awaitable[httpx.Response]]


async def bad_parameter(stage: Stage) -> httpx.Response:
    return await stage.ask("GET", f"{JOBS}?page=0")


async def range_outside_of_the_file(stage: Stage) -> httpx.Response:
    run = stage.dagster.add(tags={KIND_TAG: KIND, **pipeline_tags(["face_detection"])})
    run.end("SUCCESS")
    folder = stage.services.home.results(run.id) / "face_detection"
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(b"{}")
    file = {"name": "a.json", "role": "annotations", "media_type": "application/json"}
    file |= {"size_bytes": 2, "sha256": hashlib.sha256(b"{}").hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"files": [file]}))
    path = f"{JOBS}/{run.id}/results/face_detection/a.json"
    return await stage.ask("GET", path, headers={"Range": "bytes=100-"})


async def config_out_of_range(stage: Stage) -> httpx.Response:
    config = json.dumps({"face_detection": {"threshold": 7}})
    return await stage.upload(selected_pipelines="face_detection", config=config)


async def no_key(stage: Stage) -> httpx.Response:
    return await stage.ask("GET", JOBS, role=None)


async def a_readers_submission(stage: Stage) -> httpx.Response:
    return await stage.ask("POST", JOBS, role=Role.READER, json={})


async def unknown_job(stage: Stage) -> httpx.Response:
    return await stage.ask("GET", f"{JOBS}/nobody")


async def unknown_pipeline(stage: Stage) -> httpx.Response:
    return await stage.ask("GET", "/api/v1/pipelines/nobody")


async def unknown_address(stage: Stage) -> httpx.Response:
    return await stage.ask("GET", "/nowhere")


async def wrong_method(stage: Stage) -> httpx.Response:
    return await stage.ask("PATCH", JOBS)


async def strict_cancellation_of_a_completed_job(stage: Stage) -> httpx.Response:
    run = stage.dagster.add()
    run.end("SUCCESS")
    return await stage.ask("POST", f"{JOBS}/{run.id}/cancel?strict=true")


async def results_of_a_running_job(stage: Stage) -> httpx.Response:
    run = stage.dagster.add(status="STARTED")
    return await stage.ask("GET", f"{JOBS}/{run.id}/results")


async def key_in_flight(stage: Stage) -> httpx.Response:
    """The second submission comes while Dagster has not answered to the first."""
    media = (await stage.upload(selected_pipelines="face_detection")).json()["media"]
    request = {
        "json": {"media": media, "pipelines": ["face_detection"]},
        "headers": {"Idempotency-Key": "k", "X-API-Key": stage.key_of(Role.ADMIN)},
    }
    waiting, answered = asyncio.Event(), asyncio.Event()
    launch = stage.services.dagster.launch

    async def launch_slowly(*arguments: Any, **named: Any) -> Any:
        waiting.set()
        await answered.wait()
        return await launch(*arguments, **named)

    stage.services.dagster.launch = launch_slowly  # type: ignore[method-assign]  # slow, else real
    first = asyncio.create_task(stage.ask("POST", JOBS, role=None, **request))
    await waiting.wait()
    second = await stage.ask("POST", JOBS, role=None, **request)
    answered.set()
    assert (await first).status_code == 201
    return second


async def key_with_another_body(stage: Stage) -> httpx.Response:
    headers = {"Idempotency-Key": "k", "X-API-Key": stage.key_of(Role.ADMIN)}
    media = (await stage.upload(selected_pipelines="face_detection")).json()["media"]
    for priority in (1, 2):
        body = {"media": media, "pipelines": ["face_detection"], "priority": priority}
        answer = await stage.ask("POST", JOBS, role=None, json=body, headers=headers)
    return answer


async def body_over_the_limit(stage: Stage) -> httpx.Response:
    return await stage.with_settings(max_upload_bytes=10).upload()


class HastyProtocol(EnvelopeProtocol):
    head_seconds = 0.1


async def request_that_does_not_come(stage: Stage) -> httpx.Response:
    return await stage.send(b"GET / HTTP/1.1\r\nX-Half: ", HastyProtocol)


async def head_over_the_limit(stage: Stage) -> httpx.Response:
    return await stage.send(b"GET / HTTP/1.1\r\nX-Long: " + b"a" * 50_000 + b"\r\n\r\n")


async def yaml_instead_of_json(stage: Stage) -> httpx.Response:
    headers = {"Content-Type": "text/yaml"}
    return await stage.ask("POST", "/api/v1/config/validate", content=b"{}", headers=headers)


async def many_wrong_keys(stage: Stage) -> httpx.Response:
    for number in range(25):
        headers = {"X-API-Key": f"fg_wrong_key_{number}"}
        answer = await stage.ask("GET", JOBS, role=None, headers=headers)
    return answer


async def processes_that_cannot_be_killed(stage: Stage) -> httpx.Response:
    run = stage.dagster.add(status="STARTED", tags={KIND_TAG: KIND, OWNER_TAG: "x"})
    run.tags[CANCELLATION_FAILED_TAG] = json.dumps({"pids": [7], "signal": "SIGKILL", "host": "h"})
    return await stage.ask("POST", f"{JOBS}/{run.id}/cancel")


async def pipeline_that_cannot_be_loaded(stage: Stage) -> httpx.Response:
    catalog = Catalog(
        MappingProxyType({}), (BrokenEntry("pose", "ModuleNotFoundError: No module named 'pose'"),)
    )
    broken = replace(stage, services=replace(stage.services, catalog=catalog))
    body = {"pipeline": "pose", "config": {}}
    return await broken.ask("POST", "/api/v1/pipelines/validate", json=body)


async def nonsense_from_dagster(stage: Stage) -> httpx.Response:
    stage.dagster.transport_reply = lambda _request: httpx.Response(200, json={"errors": []})
    return await stage.ask("GET", JOBS)


async def dagster_away(stage: Stage) -> httpx.Response:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    stage.dagster.transport_reply = refuse
    return await stage.ask("GET", JOBS)


async def database_away(stage: Stage) -> httpx.Response:
    database = Database(f"postgresql://nobody@127.0.0.1:{CLOSED_PORT}/nothing")
    authenticator = Authenticator(database, enabled=True)
    services = replace(stage.services, authenticator=authenticator)
    headers = {"X-API-Key": "fg_of-somebody"}
    return await replace(stage, services=services).ask("GET", JOBS, role=None, headers=headers)


async def killed_probe(stage: Stage) -> httpx.Response:
    """Killed at once, as the kernel may when memory runs out."""
    started = asyncio.create_subprocess_exec

    async def start(*arguments: Any, **options: Any) -> asyncio.subprocess.Process:
        process = await started(*arguments, **options)
        process.kill()
        return process

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncio, "create_subprocess_exec", start)
        return await stage.upload()


async def disk_that_must_stay_emptier(stage: Stage) -> httpx.Response:
    return await stage.with_settings(minimum_free_bytes=10**18).upload()


async def work_that_fits_no_gpu(stage: Stage) -> httpx.Response:
    services = replace(stage.services, devices=CachedDevices(TinyGpu(), Deadline(60.0)))
    config = json.dumps({"face_detection": {"device": "cuda", "batch_size": 256}})
    return await replace(stage, services=services).upload(
        selected_pipelines="face_detection", config=config
    )


WAYS: dict[tuple[str, int], Way] = {
    ("INVALID_REQUEST", 400): bad_parameter,
    ("INVALID_REQUEST", 408): request_that_does_not_come,
    ("INVALID_REQUEST", 416): range_outside_of_the_file,
    ("INVALID_REQUEST", 431): head_over_the_limit,
    ("INVALID_CONFIG", 400): config_out_of_range,
    ("UNAUTHORIZED", 401): no_key,
    ("FORBIDDEN", 403): a_readers_submission,
    ("JOB_NOT_FOUND", 404): unknown_job,
    ("PIPELINE_NOT_FOUND", 404): unknown_pipeline,
    ("NOT_FOUND", 404): unknown_address,
    ("METHOD_NOT_ALLOWED", 405): wrong_method,
    ("JOB_ALREADY_COMPLETED", 409): strict_cancellation_of_a_completed_job,
    ("JOB_NOT_FINISHED", 409): results_of_a_running_job,
    ("IDEMPOTENCY_CONFLICT", 409): key_in_flight,
    ("IDEMPOTENCY_CONFLICT", 422): key_with_another_body,
    ("PAYLOAD_TOO_LARGE", 413): body_over_the_limit,
    ("UNSUPPORTED_MEDIA", 415): yaml_instead_of_json,
    ("RATE_LIMITED", 429): many_wrong_keys,
    ("CANCELLATION_FAILED", 500): processes_that_cannot_be_killed,
    ("VALIDATION_ERROR", 500): pipeline_that_cannot_be_loaded,
    ("INTERNAL_SERVER_ERROR", 500): nonsense_from_dagster,
    ("ORCHESTRATOR_UNAVAILABLE", 503): dagster_away,
    ("DATABASE_UNAVAILABLE", 503): database_away,
    ("PROBE_UNAVAILABLE", 503): killed_probe,
    ("STORAGE_FULL", 507): disk_that_must_stay_emptier,
    ("GPU_OUT_OF_MEMORY", 507): work_that_fits_no_gpu,
}
RETRIED_LATER = {
    *("RATE_LIMITED", "ORCHESTRATOR_UNAVAILABLE", "DATABASE_UNAVAILABLE", "PROBE_UNAVAILABLE")
}
SIZED = {"STORAGE_FULL", "GPU_OUT_OF_MEMORY"}
#: What these say is the same each time, and what the contracts' examples show.
SAID_ALIKE = {
    ("INVALID_REQUEST", 416),
    ("INVALID_CONFIG", 400),
    ("IDEMPOTENCY_CONFLICT", 409),
    ("IDEMPOTENCY_CONFLICT", 422),
    ("VALIDATION_ERROR", 500),
    ("PROBE_UNAVAILABLE", 503),
    ("STORAGE_FULL", 507),
    ("GPU_OUT_OF_MEMORY", 507),
}


@pytest.fixture
def stage(services: Services, dagster: Any, clip: bytes) -> Stage:
    services.database.migrate()
    services.home.uploads.mkdir(parents=True)
    return Stage(services, dagster, clip)


def test_every_listed_code_has_a_way() -> None:
    listed = yaml.safe_load((CONTRACTS / "error-envelope.yaml").read_text())["x-error-codes"]
    pairs = {
        (code, status)
        for code, entry in listed.items()
        for status in (entry["status"] if isinstance(entry["status"], list) else [entry["status"]])
    }
    assert pairs == WAYS.keys()


@pytest.fixture(scope="module")
def examples() -> list[dict[str, Any]]:
    """The errors that the contracts show."""
    document = yaml.safe_load((CONTRACTS / "error-examples.yaml").read_text())
    return [example["value"]["error"] for example in document["components"]["examples"].values()]


def words(error: dict[str, Any]) -> tuple[str, ...]:
    return tuple(error.get(part, "") for part in ("code", "message", "hint", "field"))


@pytest.mark.parametrize(("code", "status"), list(WAYS))
async def test_there_is_a_way_to_get(
    stage: Stage, examples: list[dict[str, Any]], code: str, status: int
) -> None:
    answer = await WAYS[code, status](stage)
    error = answer.json()["error"]
    assert (error["code"], answer.status_code) == (code, status)
    assert answer.json()["detail"] == error["message"]
    assert ("Retry-After" in answer.headers) >= (code in RETRIED_LATER)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)
    if (code, status) in SAID_ALIKE:
        assert words(error) in map(words, examples)
    if code in SIZED:
        assert error["detail"]["required_gb"] > error["detail"]["available_gb"]
    if status == 500:
        assert error["detail"]["request_id"] == answer.headers["X-Request-ID"]
