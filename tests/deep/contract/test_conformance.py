"""Schemathesis against the live app: what it cannot predict, a fuzzer finds.

It reads `/openapi.json`, which test_drift.py holds against the contracts, and follows links from
what one operation answers to what others take. `make conformance` gives it more time.
"""

import io
import os
import re
import subprocess
import sys
import wave
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.stack.events import StackReady

PROJECT = Path(__file__).parents[3]
CONFIG = Path(__file__).with_name("conformance.toml")
EXAMPLES = os.environ.get("FRAMEGATE_CONFORMANCE_EXAMPLES", "60")
_SECONDS = 3600
_ONE_REQUEST = 60.0


@pytest.fixture
def own_stack(
    running_stack: Callable[..., Any], tmp_path: Path
) -> Iterator[tuple[StackReady, str]]:
    """A stack that nobody else uses: the fuzzer deletes the jobs and revokes the keys it sees. It
    believes the addresses that conformance_hooks.py makes up.
    """
    trusting = {"FRAMEGATE_TRUSTED_PROXIES": '["127.0.0.1"]'}
    with running_stack(tmp_path / "home", **trusting) as (stack, key):
        _store_silence(
            httpx.Client(base_url=stack.url, headers={"X-API-Key": key}, timeout=_ONE_REQUEST)
        )
        yield stack, key


def _store_silence(client: httpx.Client) -> None:
    """The media that conformance.toml names."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(bytes(3200))
    with client:
        submitted = client.post(
            "/api/v1/jobs",
            files={"video": ("silence.wav", file.getvalue())},
            data={"selected_pipelines": "misbehaving"},
        )
    assert submitted.status_code == 201, submitted.text
    assert submitted.json()["media"] in CONFIG.read_text()


@pytest.mark.slow
@pytest.mark.timeout(_SECONDS)
def test_the_live_app_keeps_to_its_description_whatever_it_is_sent(
    own_stack: tuple[StackReady, str], bare_environment: Mapping[str, str]
) -> None:
    stack, key = own_stack
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIG)),
            *("run", f"{stack.url}/openapi.json", "--checks", "all"),
            *("--max-examples", EXAMPLES, "--no-color"),
        ],
        cwd=PROJECT,
        env={**bare_environment, "FRAMEGATE_URL": stack.url, "FRAMEGATE_API_KEY": key},
        capture_output=True,
        text=True,
        check=False,
        timeout=_SECONDS,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"API Links: +[1-9]\d* covered", run.stdout), "no link was followed"
    assert "Authentication failed" not in run.stdout, run.stdout
