"""The three addresses of validation, and bodies that mean no good."""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from api.dependencies import Services
from pipelines.registry.catalog import load_catalog
from pipelines.registry.devices import Device
from pipelines.registry.validation import validate_config

pytestmark = pytest.mark.anyio

VALIDATE = "/api/v1/pipelines/validate"
JSON = {"Content-Type": "application/json"}


async def test_a_valid_config_is_200_and_valid(client: httpx.AsyncClient) -> None:
    answer = await client.post(VALIDATE, json={"pipeline": "face_detection", "config": {}})
    assert answer.status_code == 200
    assert answer.json() == {"valid": True, "errors": [], "warnings": []}


async def test_an_invalid_config_is_200_with_all_errors(client: httpx.AsyncClient) -> None:
    config = {"threshold": 7, "treshold": 1}
    answer = await client.post(VALIDATE, json={"pipeline": "face_detection", "config": config})
    assert answer.status_code == 200
    assert answer.json()["valid"] is False
    assert [error["code"] for error in answer.json()["errors"]] == [
        "VALUE_OUT_OF_RANGE",
        "UNKNOWN_FIELD",
    ]


async def test_an_unknown_pipeline_is_an_error_of_the_verdict(client: httpx.AsyncClient) -> None:
    answer = await client.post(VALIDATE, json={"pipeline": "nope", "config": {}})
    assert answer.status_code == 200
    (error,) = answer.json()["errors"]
    assert (error["field"], error["code"]) == ("pipeline", "PIPELINE_NOT_FOUND")
    assert "face_detection" in error["hint"]


async def test_a_pipeline_of_the_path_must_exist(client: httpx.AsyncClient) -> None:
    body = {"config": {"threshold": 7}}
    known = await client.post("/api/v1/pipelines/face_detection/validate", json=body)
    unknown = await client.post("/api/v1/pipelines/fase_detection/validate", json=body)
    assert known.json()["errors"][0]["field"] == "config.threshold"
    assert unknown.status_code == 404
    assert unknown.json()["error"]["code"] == "PIPELINE_NOT_FOUND"
    assert unknown.json()["error"]["hint"].startswith("Did you mean 'face_detection'?")


async def test_clients_get_error_code_and_severity_and_no_nulls(client: httpx.AsyncClient) -> None:
    config = {"face_detection": {"threshold": 7}, "speech_activity": [], "nope": {}}
    answer = await client.post("/api/v1/config/validate", json={"config": config})
    assert answer.status_code == 200
    errors = answer.json()["errors"]
    assert [error["field"] for error in errors] == [
        "config.face_detection.threshold",
        "config.speech_activity",
        "config.nope",
    ]
    for error in errors:
        assert error["error_code"] == error["code"]
        assert error["severity"] == "error"
        assert None not in error.values()


@pytest.mark.parametrize("selected", [["face_detection"], "face_detection", None])
async def test_selected_pipelines_are_a_list_or_names_or_missing(
    client: httpx.AsyncClient, selected: Any
) -> None:
    body = {"config": {"face_detection": {"threshold": 7}}, "selected_pipelines": selected}
    answer = await client.post("/api/v1/config/validate", json=body)
    assert [error["field"] for error in answer.json()["errors"]] == [
        "config.face_detection.threshold"
    ]


async def test_a_config_that_fits_no_device_is_a_warning(
    services_with: Callable[..., Services], open_app: Callable[..., Any], gpus: Any
) -> None:
    gpus.found = (Device("GPU-1", "tiny", 10**9, 10**9),)
    config = {"batch_size": 256, "maximum_side": 4096, "device": "cuda"}
    async with open_app(services_with()) as client:
        answer = await client.post(VALIDATE, json={"pipeline": "face_detection", "config": config})
    assert answer.json()["valid"] is True
    (warning,) = answer.json()["warnings"]
    assert warning["field"] == "config"
    assert "GPU memory" in warning["message"]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Not valid JSON"),
        (b"{", "Not valid JSON"),
        (b"[]", "The body must be a JSON object."),
        (b'"x"', "The body must be a JSON object."),
        (b"{}", "The body needs the field 'pipeline'."),
        (b'{"pipeline": 3, "config": {}}', "'pipeline' must be a string."),
        (b'{"pipeline": "face_detection"}', "The body needs the field 'config'."),
        (b'{"pipeline": "p", "config": {"a": NaN}}', "NaN is not JSON"),
        (b'{"pipeline": "p", "config": {"a": 1e400}}', "Number out of range"),
        (b'{"pipeline": "p", "config": {}, "config": {}}', "Duplicate key"),
        (b'{"pipeline": "p", "config": {"a": "\\ud800"}}', "Lone surrogate"),
        (b'{"pipeline": "p", "config": ' + b"[" * 20_000, "Nested deeper than 64 levels"),
        (b"\xff\xfe", "Not valid UTF-8"),
    ],
    ids=lambda value: repr(value[:40]),
)
async def test_a_body_that_is_not_the_request_is_refused_with_its_defect(
    client: httpx.AsyncClient, body: bytes, message: str
) -> None:
    started = time.monotonic()
    answer = await client.post(VALIDATE, content=body, headers=JSON)
    assert time.monotonic() - started < 5
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "INVALID_REQUEST"
    assert answer.json()["error"]["message"].startswith(message)


async def test_a_body_of_another_type_is_415(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "text/yaml"}
    answer = await client.post(VALIDATE, content=b"{}", headers=headers)
    assert answer.status_code == 415
    assert answer.json()["error"]["code"] == "UNSUPPORTED_MEDIA"


async def test_a_body_that_is_too_large_is_413_whether_it_says_so_or_not(
    client: httpx.AsyncClient,
) -> None:
    body = json.dumps({"pipeline": "p", "config": {"a": "x" * 2_000_000}}).encode()

    async def chunks() -> Any:
        for start in range(0, len(body), 100_000):
            yield body[start : start + 100_000]

    for content in (body, chunks()):
        answer = await client.post(VALIDATE, content=content, headers=JSON)
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"


async def test_ten_thousand_fields_do_not_hold_up_others(client: httpx.AsyncClient) -> None:
    config = {f"field{index}": index for index in range(10_000)}
    large = asyncio.create_task(
        client.post(VALIDATE, json={"pipeline": "face_detection", "config": config})
    )
    await asyncio.sleep(0)
    assert (await client.get("/health")).status_code == 200
    answer = await large
    assert len(answer.json()["errors"]) == 100
    assert answer.json()["warnings"][0]["message"] == "9900 more errors are not shown"


async def test_many_large_bodies_of_one_key_are_judged_in_turn_or_refused(
    client: httpx.AsyncClient,
) -> None:
    config = {f"field{index}": index for index in range(10_000)}
    body = {"pipeline": "face_detection", "config": config}
    answers = await asyncio.gather(*(client.post(VALIDATE, json=body) for _ in range(16)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() == {200, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["error"]["code"] == "RATE_LIMITED"
    assert int(refused.headers["Retry-After"]) > 0
    assert (await client.post(VALIDATE, json=body)).status_code == 200


@pytest.mark.parametrize("name", list(load_catalog().cards))
async def test_the_routes_verdict_is_the_validators(client: httpx.AsyncClient, name: str) -> None:
    configs: list[Any] = [
        {},
        {"device": "gpu"},
        {"device": 3, "unknown": None},
        dict.fromkeys(load_catalog().cards[name].config.model_fields, "x"),
        dict.fromkeys(load_catalog().cards[name].config.model_fields),
        [1],
        None,
    ]
    for config in configs:
        verdict = validate_config(name, config, load_catalog(), [])
        answer = await client.post(VALIDATE, json={"pipeline": name, "config": config})
        assert answer.json()["valid"] == verdict.valid
        assert [error["field"] for error in answer.json()["errors"]] == [
            error.field for error in verdict.errors
        ]
