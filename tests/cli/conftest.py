import subprocess
import sys
from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from api.stack.events import StackReady
from contracts.project import PROJECT

Framegate = Callable[..., subprocess.CompletedProcess[str]]

_SECONDS = 240


@pytest.fixture(scope="session")
def framegate(
    bare_environment: Mapping[str, str], database_of: Callable[[Path], Mapping[str, str]]
) -> Framegate:
    """Runs the command as a person would; keyword arguments are environment variables."""

    def run(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        homes = [home for name, home in pairwise(arguments) if name == "--home"]
        database = database_of(Path(homes[0])) if homes else {}
        return subprocess.run(
            [sys.executable, "-m", "api.cli", *map(str, arguments)],
            cwd=PROJECT,
            env={**bare_environment, **database, **environment},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )

    return run


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
