"""One validator behind every door: the same configs, sent through REST and the command line, get
one verdict. test_one_validator_in_dagster.py has the other doors.
"""

import json
from collections.abc import Mapping
from typing import Any

import httpx
from typer.testing import CliRunner

from api.cli.app import app
from api.stack.events import StackReady
from tests.contract.generated_configs import CONFIGS, Case

#: Valid or not; field, message, code and hint of each error.
Told = tuple[bool, list[tuple[str, str, str, str | None]]]


def _told(case: Case, prefix: str = "config") -> Told:
    """The verdict as a door words it whose fields begin with `prefix`."""
    return case.verdict.valid, [
        (error.field.replace("config", prefix, 1), error.message, error.code, error.hint)
        for error in case.verdict.errors
    ]


def _read(verdict: Mapping[str, Any]) -> Told:
    return verdict["valid"], [
        (error["field"], error["message"], error["code"], error.get("hint"))
        for error in verdict["errors"]
    ]


def test_the_configs_are_good_and_bad_in_many_ways(cases: list[Case]) -> None:
    good = sum(case.verdict.valid for case in cases)
    assert len(cases) == CONFIGS
    assert CONFIGS / 4 < good < CONFIGS * 3 / 4
    assert len({error.code for case in cases for error in case.verdict.errors}) >= 4


def test_rest_says_the_same(rest: httpx.Client, cases: list[Case]) -> None:
    for case in cases:
        body = {"pipeline": case.pipeline, "config": case.config}
        assert _read(rest.post("/api/v1/pipelines/validate", json=body).json()) == _told(case)


def test_rest_says_the_same_of_the_pipeline_in_the_path(
    rest: httpx.Client, cases: list[Case]
) -> None:
    for case in cases:
        answer = rest.post(
            f"/api/v1/pipelines/{case.pipeline}/validate", json={"config": case.config}
        )
        assert _read(answer.json()) == _told(case)


def test_rest_says_the_same_of_configs_keyed_by_pipeline(
    rest: httpx.Client, cases: list[Case]
) -> None:
    for case in cases:
        body = {"config": {case.pipeline: case.config}}
        verdict = rest.post("/api/v1/config/validate", json=body).json()
        assert _read(verdict) == _told(case, f"config.{case.pipeline}")


def test_the_command_line_says_the_same(
    stack: StackReady, admin_key: str, cases: list[Case]
) -> None:
    reach = ("--json", "--url", stack.url, "--api-key", admin_key)
    for case in cases:
        arguments = ["validate", case.pipeline, json.dumps(case.config), *reach]
        done = CliRunner().invoke(app, arguments)
        assert _read(json.loads(done.stdout)) == _told(case)
        assert (done.exit_code == 0) == case.verdict.valid
