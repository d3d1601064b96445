"""Jobs that misbehave, on the shared stack or on one of a test's own."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.home import Home
from tests.jobs import clip, jobs, make_jobs, media

__all__ = ["clip", "jobs", "make_jobs", "media"]


@dataclass(frozen=True)
class OwnStack:
    """A stack that no other test uses, with the hash of a media that is stored there."""

    client: httpx.Client
    home: Home
    media: str


@pytest.fixture(scope="session")
def own_stack(
    running_stack: Callable[..., Any], clip: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[OwnStack]]:
    """Runs one. Keyword arguments are environment variables."""

    @contextmanager
    def run(**settings: str) -> Iterator[OwnStack]:
        home = tmp_path_factory.mktemp("own-stack") / "home"
        with running_stack(home, **settings) as (ready, key):
            headers = {"X-API-Key": key}
            with httpx.Client(base_url=ready.url, headers=headers, timeout=60) as client:
                answer = client.post(
                    "/api/v1/jobs",
                    files={"video": ("silence.wav", clip.read_bytes())},
                    data={"selected_pipelines": "misbehaving"},
                )
                yield OwnStack(client, Home(home), answer.json()["media"])

    return run
