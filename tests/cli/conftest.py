import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest

from api.stack.events import StackReady
from contracts.project import PROJECT
from tests.conftest import Framegate


@pytest.fixture(scope="session")
def client_environment(stack: StackReady, admin_key: str) -> Mapping[str, str]:
    """What a client command needs to reach the real stack."""
    return {"FRAMEGATE_URL": stack.url, "FRAMEGATE_API_KEY": admin_key}


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory, bare_environment: Mapping[str, str]) -> Path:
    """The demo's sample video."""
    path = tmp_path_factory.mktemp("sample") / "sample.mp4"
    subprocess.run(
        [sys.executable, "-m", "pipelines.sample", str(path)],
        cwd=PROJECT,
        env=bare_environment,
        check=True,
    )
    return path


@pytest.fixture(scope="session")
def job_id(
    framegate: Framegate, client_environment: Mapping[str, str], sample: Path, rest: httpx.Client
) -> str:
    """A job of speech_activity that has completed."""
    submitted = framegate(
        "submit", sample, "--pipelines", "speech_activity", "--wait", **client_environment
    )
    assert submitted.returncode == 0, submitted.stderr
    return str(rest.get("/api/v1/jobs").json()["jobs"][0]["id"])
