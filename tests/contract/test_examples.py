"""Every example request of the contracts, sent to the app: each answer is one that was agreed.

Dagster is away here, so what needs it answers ORCHESTRATOR_UNAVAILABLE, which is agreed as well;
everything else answers as in earnest.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from jsonschema import Draft202012Validator

from api.app import create_app, create_services
from api.settings import Settings

pytestmark = pytest.mark.anyio

FOLDER = Path(__file__).parents[2] / "contracts"
#: Nobody listens on it.
CLOSED_PORT = 1
#: Operations that must succeed although Dagster is away.
SELF_SUFFICIENT = {
    "validateConfig",
    "validatePipelineConfig",
    "validateConfigs",
    "getHealth",
    "getServiceHealth",
    "getSystemHealth",
    "getMetrics",
    "listPipelines",
    "getPipeline",
    "getPipelineSchema",
    "listKeys",
    "createKey",
}


def places() -> list[tuple[str, str, str]]:
    return [
        (path.name, method, address)
        for path in sorted(FOLDER.glob("*.yaml"))
        for address, methods in yaml.safe_load(path.read_text())["paths"].items()
        for method in methods
    ]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(home=tmp_path / "home", auth="off", dagster_port=CLOSED_PORT)
    app = create_app(services=create_services(settings))
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
    ):
        yield client


def requests(operation: Mapping[str, Any], method: str, address: str) -> Iterator[httpx.Request]:
    for each in operation.get("parameters", []):
        if each["in"] == "path":
            address = address.replace(f"{{{each['name']}}}", str(each["example"]))
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    bodies = [example["value"] for example in content.get("examples", {}).values()]
    for body in bodies or [None]:
        url = f"http://127.0.0.1{address}"
        if body is None:
            yield httpx.Request(method, url)
        else:
            yield httpx.Request(method, url, json=body)


@pytest.mark.parametrize(("file", "method", "address"), places())
async def test_an_example_gets_an_answer_that_was_agreed(
    client: httpx.AsyncClient, contracts: Any, file: str, method: str, address: str
) -> None:
    operation = contracts.resolved(contracts.documents[file]["paths"][address][method], file)
    for request in requests(operation, method, address):
        answer = await client.send(request)
        agreed = operation["responses"].get(str(answer.status_code))
        assert agreed is not None, f"{answer.status_code}: {answer.text[:300]}"
        schema = agreed.get("content", {}).get("application/json", {}).get("schema")
        if schema is not None:
            Draft202012Validator(schema).validate(answer.json())
        if operation["operationId"] in SELF_SUFFICIENT:
            assert answer.is_success, answer.text[:300]
        elif answer.is_error:
            codes = operation["x-error-codes"][str(answer.status_code)]
            assert answer.json()["error"]["code"] in codes


async def test_the_invalid_examples_of_validation_are_invalid(
    client: httpx.AsyncClient, contracts: Any
) -> None:
    document = contracts.documents["config-validation.yaml"]
    operation = document["paths"]["/api/v1/pipelines/validate"]["post"]
    examples = operation["requestBody"]["content"]["application/json"]["examples"]
    verdicts = {
        name: (await client.post("/api/v1/pipelines/validate", json=example["value"])).json()
        for name, example in examples.items()
    }
    assert {name: verdict["valid"] for name, verdict in verdicts.items()} == {
        "valid": True,
        "invalid": False,
        "unknown_pipeline": False,
    }
    agreed = operation["responses"]["200"]["content"]["application/json"]["examples"]
    assert verdicts["valid"] == agreed["valid"]["value"]
    assert verdicts["invalid"] == agreed["invalid"]["value"]
