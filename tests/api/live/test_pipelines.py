"""The catalogue: cards as clients read them, schemas, and parameters for forms."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from api.dependencies import Services
from pipelines.registry.catalog import BrokenEntry, Catalog, load_catalog

pytestmark = pytest.mark.anyio

NAMES = list(load_catalog().cards)
TYPES = {"boolean", "string", "integer", "number", "enum", "multiselect", "object"}


async def test_the_list_holds_every_card(client: httpx.AsyncClient) -> None:
    answer = (await client.get("/api/v1/pipelines")).json()
    assert answer["total"] == len(NAMES)
    assert [item["name"] for item in answer["pipelines"]] == NAMES
    for item in answer["pipelines"]:
        assert item.keys() == {
            "name",
            "display_name",
            "description",
            "pipeline_family",
            "variant",
            "version",
            "capabilities",
            "outputs",
            "default_enabled",
        }
        assert item["outputs"]
        assert all(output.keys() == {"format", "types"} for output in item["outputs"])


@pytest.mark.parametrize("name", NAMES)
async def test_one_card_is_the_lists(client: httpx.AsyncClient, name: str) -> None:
    every = (await client.get("/api/v1/pipelines")).json()["pipelines"]
    one = (await client.get(f"/api/v1/pipelines/{name}")).json()
    assert one in every


@pytest.mark.parametrize("name", NAMES)
async def test_a_schema_is_json_schema_and_its_parameters_make_a_valid_config(
    client: httpx.AsyncClient, name: str
) -> None:
    schema = (await client.get(f"/api/v1/pipelines/{name}/schema")).json()
    Draft202012Validator.check_schema(schema["json_schema"])
    assert [one["name"] for one in schema["parameters"]] == list(
        schema["json_schema"]["properties"]
    )
    for one in schema["parameters"]:
        assert one["type"] in TYPES
        assert {"label", "description", "required", "default", "group", "advanced"} <= one.keys()
        assert ("enum" in one) == (one["type"] in {"enum", "multiselect"})
        assert all(choice.keys() == {"value", "label"} for choice in one.get("enum", ()))
    defaults = {one["name"]: one["default"] for one in schema["parameters"]}
    Draft202012Validator(schema["json_schema"]).validate(defaults)
    verdict = await client.post(f"/api/v1/pipelines/{name}/validate", json={"config": defaults})
    assert verdict.json()["valid"] is True, verdict.text


async def test_a_limited_number_has_its_limits(client: httpx.AsyncClient) -> None:
    schema = (await client.get("/api/v1/pipelines/face_detection/schema")).json()
    threshold = next(one for one in schema["parameters"] if one["name"] == "threshold")
    assert threshold["type"] == "number"
    assert (threshold["min"], threshold["max"]) == (0.05, 1.0)
    assert threshold["step"] > 0


@pytest.mark.parametrize("path", ["nope", "nope/schema", "face_detection%00", "%F0%9F%98%80"])
async def test_an_unknown_name_is_404_with_the_known_ones(
    client: httpx.AsyncClient, path: str
) -> None:
    answer = await client.get(f"/api/v1/pipelines/{path}")
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "PIPELINE_NOT_FOUND"
    assert "face_detection" in answer.json()["error"]["hint"]


async def test_a_registered_pipeline_that_cannot_be_loaded_is_500_and_named(
    services_with: Callable[..., Services], open_app: Callable[..., Any]
) -> None:
    catalog = Catalog(load_catalog().cards, (BrokenEntry("pose", "ImportError: pose"),))
    async with open_app(services_with(catalog=catalog)) as client:
        answer = await client.get("/api/v1/pipelines/pose/schema")
        others = await client.get("/api/v1/pipelines")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "VALIDATION_ERROR"
    assert "ImportError: pose" in answer.json()["detail"]
    assert others.json()["total"] == len(NAMES)
