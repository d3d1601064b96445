"""Every example request of the contracts, in earnest: sent to the app over a Dagster in memory in
which what it asks for is there, it succeeds, and its answer is one that was agreed.
"""

import hashlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from api.app import create_app, create_services
from api.auth.keys import create_key
from api.auth.roles import Role
from api.dagster.transport import GraphqlTransport
from api.dependencies import Services
from api.settings import Settings
from contracts.run import (
    MEDIA_FACTS_TAG,
    MEDIA_TAG,
    OWNER_TAG,
    PRIORITY_TAG,
    PROBE_OP,
    RELEASE_TAG,
    MediaFacts,
    pipeline_tags,
)
from tests.api.fake_dagster import FakeDagster, FakeRun, dagster_schema

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parents[2] / "contracts"
#: What the examples name.
JOB = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
MEDIA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
FACTS = MediaFacts("interview.mp4", 10485760, 42.5)
GPU = {
    "device": "GPU-5f2b1c9a-7e3d-4806-9b1c-2d3e4f506172",
    "held_bytes": 2147483648,
    "released": True,
    "verified_at": "2026-11-23T12:00:03.090Z",
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z")


def places() -> list[tuple[str, str, str]]:
    return [
        (path.name, method, address)
        for path in sorted(FOLDER.glob("*.yaml"))
        for address, methods in yaml.safe_load(path.read_text())["paths"].items()
        for method in methods
    ]


@dataclass(frozen=True)
class Stage:
    """What a request meets; `values` are of parameters that no example can know."""

    dagster: FakeDagster
    services: Services
    values: dict[str, str] = field(default_factory=dict)

    def add_job(self, status: str = "QUEUED", **tags: str) -> FakeRun:
        configs = {
            PROBE_OP: {"config": {"media": MEDIA}},
            "face_detection": {"config": {"threshold": 0.6}},
        }
        own = {
            MEDIA_TAG: MEDIA,
            OWNER_TAG: "lab",
            PRIORITY_TAG: "10",
            MEDIA_FACTS_TAG: FACTS.to_tag(),
        }
        run = self.dagster.add(id=JOB, status=status, config={"ops": configs})
        run.tags |= pipeline_tags(["face_detection"]) | own | tags
        return run


def _stored_media(stage: Stage) -> None:
    home = stage.services.home
    home.media(MEDIA).parent.mkdir(parents=True)
    home.media(MEDIA).write_bytes(b"the video")
    facts = {"name": FACTS.filename, "size_bytes": FACTS.size_bytes, "container": "mp4"}
    facts |= {"duration_seconds": FACTS.duration_seconds}
    home.media_facts(MEDIA).write_text(json.dumps(facts))


def _waiting_job(stage: Stage) -> None:
    stage.add_job()


def _running_job(stage: Stage) -> None:
    stage.add_job("STARTED", **{RELEASE_TAG: json.dumps(GPU)})


def _completed_job(stage: Stage) -> None:
    stage.add_job().end("SUCCESS")


def _failed_job(stage: Stage) -> None:
    _stored_media(stage)
    stage.add_job().end("FAILURE")


def _job_with_results(stage: Stage) -> None:
    _stored_media(stage)
    _completed_job(stage)
    folder = stage.services.home.results(JOB) / "face_detection"
    folder.mkdir(parents=True)
    name = "interview_face_analysis.json"
    (folder / name).write_bytes(b"{}")
    file = {"name": name, "role": "annotations", "media_type": "application/json"}
    file |= {"size_bytes": 2, "sha256": hashlib.sha256(b"{}").hexdigest()}
    (folder / "manifest.json").write_text(json.dumps({"files": [file]}))


def _some_key(stage: Stage) -> None:
    record, _secret = create_key(stage.services.database, role=Role.READER, name="some")
    stage.values["key_id"] = record.id


def _one_job_of_the_stream(stage: Stage) -> None:
    """The stream of all jobs would never end."""
    _completed_job(stage)
    stage.values["job_id"] = JOB


def _nothing(_stage: Stage) -> None:
    return None


#: What must be there for an operation's examples to succeed.
SCENES: Mapping[str, Callable[[Stage], None]] = {
    "submitJob": _stored_media,
    "getJob": _waiting_job,
    "deleteJob": _completed_job,
    "cancelJob": _running_job,
    "retryJob": _failed_job,
    "getResults": _job_with_results,
    "getResultFile": _job_with_results,
    "getArtifacts": _job_with_results,
    "getReport": _job_with_results,
    "streamJobEvents": _completed_job,
    "streamEvents": _one_job_of_the_stream,
    "revokeKey": _some_key,
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    dagster = FakeDagster(dagster_schema())
    transport = GraphqlTransport(
        "http://dagster", timeout=60.0, transport=httpx.MockTransport(dagster.handle)
    )
    settings = Settings(home=tmp_path / "home", auth="off", probe_timeout=60.0)
    return Stage(dagster, create_services(settings, transport=transport))


@pytest.fixture
async def client(stage: Stage) -> AsyncIterator[httpx.AsyncClient]:
    app = create_app(services=stage.services)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield client


def requests(
    operation: Mapping[str, Any], method: str, address: str, values: Mapping[str, str]
) -> Iterator[httpx.Request]:
    query = {}
    for each in operation.get("parameters", []):
        if each["in"] == "path":
            value = values.get(each["name"], each.get("example"))
            address = address.replace(f"{{{each['name']}}}", str(value))
        elif each["in"] == "query" and each["name"] in values:
            query[each["name"]] = values[each["name"]]
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    bodies = [example["value"] for example in content.get("examples", {}).values()]
    for body in bodies or [None]:
        url = httpx.URL(f"http://127.0.0.1{address}", params=query)
        yield httpx.Request(method, url, **({} if body is None else {"json": body}))


@pytest.mark.parametrize("place", places(), ids=" ".join)
async def test_an_example_succeeds_with_an_answer_that_was_agreed(
    client: httpx.AsyncClient, contracts: Any, stage: Stage, place: tuple[str, str, str]
) -> None:
    file, method, address = place
    operation = contracts.resolved(contracts.documents[file]["paths"][address][method], file)
    SCENES.get(operation["operationId"], _nothing)(stage)
    for request in requests(operation, method, address, stage.values):
        answer = await client.send(request)
        assert answer.is_success, answer.text[:300]
        agreed = operation["responses"][str(answer.status_code)]
        kind = answer.headers.get("content-type", "").partition(";")[0]
        schema = agreed.get("content", {}).get(kind, {}).get("schema")
        if schema and kind == "application/json":
            Draft202012Validator(schema).validate(answer.json())
        for name, header in agreed.get("headers", {}).items():
            assert name in answer.headers or not header.get("required"), name


def example(contracts: Any, file: str, place: str, name: str) -> Any:
    """The value of an example of an answer; `place` is method, address and status."""
    method, address, status = place.split()
    document = contracts.documents[file]["paths"][address][method]
    answer = contracts.resolved(document["responses"][status], file)
    return answer["content"]["application/json"]["examples"][name]["value"]


def timeless(value: Any) -> Any:
    """With all times alike."""
    return json.loads(_TIME.sub("TIME", json.dumps(value)))


VALIDATE = "/api/v1/pipelines/validate"


@pytest.mark.parametrize("name", ["valid", "invalid"])
async def test_the_verdicts_are_those_of_the_examples(
    client: httpx.AsyncClient, contracts: Any, name: str
) -> None:
    file = "config-validation.yaml"
    operation = contracts.documents[file]["paths"][VALIDATE]["post"]
    posted = operation["requestBody"]["content"]["application/json"]["examples"]
    verdict = (await client.post(VALIDATE, json=posted[name]["value"])).json()
    assert verdict == example(contracts, file, f"post {VALIDATE} 200", name)
    unknown = await client.post(VALIDATE, json=posted["unknown_pipeline"]["value"])
    assert unknown.json()["valid"] is False


async def test_the_jobs_are_those_of_the_examples(
    client: httpx.AsyncClient, contracts: Any, stage: Stage
) -> None:
    none = example(contracts, "jobs.yaml", "get /api/v1/jobs 200", "none")
    assert (await client.get("/api/v1/jobs")).json() == none
    _waiting_job(stage)
    pending = example(contracts, "jobs.yaml", "get /api/v1/jobs/{job_id} 200", "pending")
    answer = (await client.get(f"/api/v1/jobs/{JOB}")).json()
    assert timeless(answer) == timeless(pending)


CANCEL = "/api/v1/jobs/{job_id}/cancel"


@pytest.mark.parametrize(
    ("scene", "name"), [(_running_job, "cancelled"), (_completed_job, "completed")]
)
async def test_cancellations_are_those_of_the_examples(
    client: httpx.AsyncClient, contracts: Any, stage: Stage, scene: Any, name: str
) -> None:
    scene(stage)
    answer = (await client.post(CANCEL.format(job_id=JOB))).json()
    agreed = example(contracts, "job-cancellation.yaml", f"post {CANCEL} 200", name)
    assert timeless(answer) == timeless(agreed)
