import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.cli.stack_process import start_stack
from api.settings import Settings
from api.stack.events import StackReady
from api.stack.ports import is_free
from contracts.project import PROJECT
from tests.conftest import Framegate
from tests.ports import free_port

StartDemo = Callable[..., AbstractContextManager[subprocess.Popen[str]]]
#: A demo of its own starts a stack and runs every pipeline: minutes on a machine that is busy.
pytestmark = pytest.mark.timeout(1200)

OURS = ("face_detection", "scene_detection", "speech_activity")


@dataclass(frozen=True)
class Shown:
    """What a person sees of a demo, and whether the API answered while it stayed up."""

    home: Path
    exit_code: int
    output: str
    notes: str
    answered: bool


@pytest.fixture(scope="module")
def start_demo(
    bare_environment: Mapping[str, str], database_of: Callable[[Path], Mapping[str, str]]
) -> StartDemo:
    """Starts `framegate demo`; what is printed is read line by line, and Ctrl-C can be sent."""

    @contextmanager
    def start(home: Path, *options: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        command = [sys.executable, "-m", "api.cli", "demo", "--home", str(home), *options]
        with subprocess.Popen(
            command,
            cwd=PROJECT,
            env={**bare_environment, **database_of(home), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as demo:
            try:
                yield demo
            finally:
                demo.kill()  # unless it has ended, and its stack with it

    return start


@pytest.fixture(scope="module")
def report(framegate: Framegate, stack: StackReady) -> dict[str, Any]:
    """What the demo tells in the home of a running stack."""
    shown = framegate("demo", "--json", "--home", stack.home)
    assert shown.returncode == 0, shown.stderr
    told: dict[str, Any] = json.loads(shown.stdout)
    return told


@pytest.fixture(scope="module")
def kept(start_demo: StartDemo, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """`framegate demo --keep` in a new home, ended by Ctrl-C: nothing of it may be left then."""
    home = tmp_path_factory.mktemp("demo") / "home"
    port = free_port()
    with start_demo(home, "--keep", FRAMEGATE_PORT=str(port)) as demo:
        assert demo.stdout
        lines = list(takewhile(lambda line: "stays up until Ctrl-C" not in line, demo.stdout))
        health = f"http://127.0.0.1:{port}/api/v1/health"
        answered = httpx.get(health, timeout=60.0, trust_env=False).is_success
        demo.send_signal(signal.SIGINT)
        rest, notes = demo.communicate()
    assert is_free("127.0.0.1", port)
    return Shown(home, demo.returncode, "".join(lines) + rest, notes, answered)


def _job_of(demo: subprocess.Popen[str]) -> str:
    """The id of the job that a demo has just begun to wait for."""
    assert demo.stderr
    return next(line for line in demo.stderr if line.startswith("Job ")).split()[1]


def test_the_demo_runs_every_pipeline_and_finds_what_is_there(
    report: dict[str, Any], rest: httpx.Client
) -> None:
    found = report["results"]["pipelines"]
    names = [card["name"] for card in rest.get("/api/v1/pipelines").json()["pipelines"]]

    assert sorted(found) == sorted(names)
    for name in OURS:
        assert found[name]["annotation_count"] > 0


def test_without_a_stack_the_demo_starts_one_and_stops_it_at_the_end(kept: Shown) -> None:
    assert kept.exit_code == 0
    assert "Ready in " in kept.output
    assert kept.answered
    assert "Stopping…" in kept.output


def test_the_demo_shows_how_far_each_pipeline_is(kept: Shown) -> None:
    bars = {line.split()[0]: line for line in kept.notes.splitlines() if " % " in line}

    for name in OURS:
        assert "100 %" in bars[name]
        assert " found" in bars[name]


def test_the_demo_shows_what_was_found_and_where_it_lies(kept: Shown) -> None:
    rows = {line.split()[0]: line for line in kept.output.splitlines() if line.strip()}
    files = [Path(word) for word in kept.output.split() if word.startswith(f"{kept.home}/jobs")]

    for name, noun in zip(OURS, ("faces", "scenes", "speech segments"), strict=True):
        assert noun in rows[name]
        assert [file for file in files if file.parent.name == name]
    assert all(file.is_file() for file in files)


def test_ctrl_c_in_the_demo_cancels_its_job(
    start_demo: StartDemo, stack: StackReady, rest: httpx.Client
) -> None:
    with start_demo(Path(stack.home)) as demo:
        job = _job_of(demo)
        demo.send_signal(signal.SIGINT)
        _output, notes = demo.communicate()

    assert demo.returncode == 130
    assert "its job is cancelled" in notes
    assert rest.get(f"/api/v1/jobs/{job}").json()["status"] == "cancelled"


def test_a_demo_whose_job_does_not_complete_ends_with_1(
    start_demo: StartDemo, stack: StackReady, rest: httpx.Client
) -> None:
    with start_demo(Path(stack.home)) as demo:
        rest.post(f"/api/v1/jobs/{_job_of(demo)}/cancel").raise_for_status()
        output, notes = demo.communicate()

    assert demo.returncode == 1
    assert "The job was cancelled." in notes
    assert "The run in the Dagster UI" in output


def test_a_stack_of_another_command_stops_with_it(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", port=free_port())
    with start_stack(settings) as stack:
        ready = stack.until_ready(lambda _event: None)
        answered = httpx.get(f"{ready.url}/api/v1/health", trust_env=False).is_success

    assert answered
    assert is_free("127.0.0.1", settings.port)
