"""What schemathesis cannot know of the app that it fuzzes; conformance.toml names this file."""

import functools
import itertools
import os
from typing import Any

import httpx
import schemathesis

PIPELINE = "misbehaving"
#: Of its config; what they say does not matter while it behaves.
FIELDS = ("seconds", "until", "cgroup")

_numbers = itertools.count(1)


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext,  # noqa: ARG001 - the hook's own signature
    case: schemathesis.Case,
    kwargs: dict[str, Any],  # noqa: ARG001
) -> None:
    number = next(_numbers)
    # An address of its own, as a reverse proxy on this machine tells it: wrong keys that are tried
    # all from one would soon be answered with 429, and not looked at.
    case.headers["X-Forwarded-For"] = f"10.0.{number // 250 % 250}.{number % 250}"
    if case.path_parameters.get("key_id") == _own_key():
        case.path_parameters["key_id"] = "nobody"
    if case.operation.label == "POST /api/v1/jobs" and isinstance(case.body, dict):
        _name_what_exists(case.body)
        if isinstance(case.body.get("config"), dict):
            case.body["config"] = _addressed(case.body["config"], number)


@functools.cache
def _own_key() -> str:
    """The id of the key that the run itself uses: revoked, it would end all that follows."""
    address = f"{os.environ['FRAMEGATE_URL']}/api/v1/keys"
    key = os.environ["FRAMEGATE_API_KEY"]
    answer = httpx.get(address, headers={"X-API-Key": key}, timeout=60.0)
    return str(answer.json()["keys"][0]["id"])


def _name_what_exists(submission: dict[str, Any]) -> None:
    """Pipelines of random names would all be refused for that alone. The one named instead does
    nothing; what is wrong with a submission otherwise stays wrong.
    """
    pipelines = submission.get("pipelines")
    if isinstance(pipelines, list) and all(isinstance(name, str) for name in pipelines[:101]):
        submission["pipelines"] = [PIPELINE] * len(pipelines[:101])


def _addressed(config: dict[str, Any], number: int) -> dict[str, Any]:
    """Of three submissions one stays as it was made up; in one, its values go to the pipeline that
    exists, and in one, to fields that this pipeline has. None of them makes it misbehave.
    """
    values = list(config.values())
    match number % 3:
        case 0:
            return config
        case 1:
            return {PIPELINE: values[0]} if values else {}
        case _:
            return {PIPELINE: dict(zip(FIELDS, values, strict=False))}
