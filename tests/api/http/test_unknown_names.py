"""A name that the API does not know is refused, with the one that was probably meant."""

from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

JOBS = "/api/v1/jobs"

pytestmark = pytest.mark.anyio


async def test_every_route_refuses_a_query_parameter_that_it_does_not_take(
    running: FastAPI, admin: httpx.AsyncClient
) -> None:
    routes = [route for route in running.routes if isinstance(route, APIRoute)]
    for route in routes:
        path = route.path_format.format_map(dict.fromkeys(route.param_convertors, "x"))
        for method in sorted(route.methods - {"HEAD"}):
            response = await admin.request(method, path, params={"nonsense": "1"})
            assert response.status_code == 400, (method, path)
            assert response.json()["error"]["field"] == "nonsense", (method, path)


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("statusfilter=failed", "Did you mean 'status_filter'?"),
        ("state=failed", "Did you mean 'status'?"),
        ("pipelines=face_detection", "Did you mean 'pipeline'?"),
        ("limit=5", "It takes page, per_page, status, status_filter, pipeline, cursor."),
    ],
)
async def test_the_hint_names_the_parameter_that_was_meant(
    admin: httpx.AsyncClient, query: str, hint: str
) -> None:
    error = (await admin.get(f"{JOBS}?{query}")).json()["error"]
    assert error["code"] == "INVALID_REQUEST"
    assert error["hint"] == hint


async def test_a_key_in_the_query_is_unknown_where_only_headers_are_read(
    admin: httpx.AsyncClient,
) -> None:
    assert (await admin.get(JOBS, params={"token": "fg_x"})).status_code == 400


async def test_whoever_has_no_key_is_told_that_first(stranger: httpx.AsyncClient) -> None:
    assert (await stranger.get(JOBS, params={"nonsense": "1"})).status_code == 401


@pytest.mark.parametrize(
    ("form", "field", "hint"),
    [
        ({"pipelines": "scene_detection"}, "pipelines", "Did you mean 'selected_pipelines'?"),
        ({"pipeline": "scene_detection"}, "pipeline", "Did you mean 'selected_pipelines'?"),
        ({"configs": "{}"}, "configs", "Did you mean 'config'?"),
    ],
)
async def test_a_form_field_that_is_not_known_is_refused(
    admin: httpx.AsyncClient, clip: bytes, form: dict[str, str], field: str, hint: str
) -> None:
    response = await admin.post(JOBS, data=form, files={"video": ("a.mp4", clip)})
    error = response.json()["error"]
    assert (response.status_code, error["field"], error["hint"]) == (400, field, hint)


async def test_a_file_under_another_name_is_told_the_name_that_files_have(
    admin: httpx.AsyncClient, clip: bytes
) -> None:
    response = await admin.post(JOBS, files={"file": ("a.mp4", clip)})
    assert response.status_code == 400
    assert response.json()["error"]["hint"] == "Send the file as the form field 'video'."


async def test_a_submission_without_a_file_is_told_what_it_lacks(admin: httpx.AsyncClient) -> None:
    response = await admin.post(JOBS, data={"selected_pipelines": "scene_detection"})
    assert response.status_code == 400
    assert response.json()["error"]["field"] == "video"


async def test_a_field_of_a_json_body_that_is_not_known_is_refused(
    admin: httpx.AsyncClient,
) -> None:
    body: dict[str, Any] = {"media": "0" * 64, "pipeline": ["scene_detection"]}
    error = (await admin.post(JOBS, json=body)).json()["error"]
    assert (error["field"], error["hint"]) == ("pipeline", "Did you mean 'pipelines'?")


async def test_status_filter_is_status(admin: httpx.AsyncClient, dagster: Any) -> None:
    await admin.get(JOBS, params={"status": "failed"})
    first, dagster.asked[:] = [*dagster.asked], []
    await admin.get(JOBS, params={"status_filter": "failed"})
    assert dagster.asked == first


async def test_two_names_of_one_parameter_must_agree(admin: httpx.AsyncClient) -> None:
    response = await admin.get(JOBS, params={"status": "failed", "status_filter": "running"})
    assert response.status_code == 400
    assert response.json()["error"]["field"] == "status_filter"


async def test_an_unknown_pipeline_is_a_404_with_all_errors(
    admin: httpx.AsyncClient, clip: bytes
) -> None:
    form = {
        "selected_pipelines": "scene_detectoin,face_detection",
        "config": '{"face_detection": {"threshold": 7}}',
    }
    response = await admin.post(JOBS, data=form, files={"video": ("a.mp4", clip)})
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (404, "PIPELINE_NOT_FOUND")
    assert "scene_detection" in error["hint"]
    codes = {each["code"] for each in error["detail"]["errors"]}
    assert codes == {"PIPELINE_NOT_FOUND", "VALUE_OUT_OF_RANGE"}
