"""What the operator's environment holds does not reach pipelines by accident."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

PATIENCE = 120.0
WEBHOOK_SECRET = "whsec_" + "c2VjcmV0" * 4


@pytest.fixture(scope="module")
def seen(own_stack: Callable[..., Any]) -> Iterator[str]:
    """What a pipeline, and a child that it starts, see of the environment."""
    settings = {
        "FRAMEGATE_WEBHOOK_URL": "http://127.0.0.1:9/nobody",
        "FRAMEGATE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        "FRAMEGATE_PIPELINE_ENVIRONMENT": '["LAB_LICENCE"]',
        "AWS_SECRET_ACCESS_KEY": "the cloud's",
        "HF_TOKEN": "the hub's",
        "HTTPS_PROXY": "http://me:the-proxys@127.0.0.1:9",
        "LAB_LICENCE": "number 7",
    }
    with own_stack(**settings) as stack:
        body = {
            "media": stack.media,
            "pipelines": ["ways"],
            "config": {"ways": {"way": "tells_what_it_sees"}},
        }
        job = stack.client.post("/api/v1/jobs", json=body).json()["id"]
        deadline = time.monotonic() + PATIENCE
        while stack.client.get(f"/api/v1/jobs/{job}").json()["status"] != "completed":
            assert time.monotonic() < deadline
            time.sleep(0.2)
        yield (stack.home.results(job) / "ways" / "seen.txt").read_text()


@pytest.mark.parametrize(
    "secret", [WEBHOOK_SECRET, "127.0.0.1:9", "the cloud's", "the hub's", "the-proxys"]
)
def test_pipelines_see_no_secret(seen: str, secret: str) -> None:
    assert secret not in seen


def test_pipelines_see_what_the_operator_names(seen: str) -> None:
    assert "number 7" in seen
