"""The unit starts the stack with what systemd would give it, and stops it in the time it allows."""

import os
import shlex
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path

import psutil
import pytest

from api.cli.stack_process import StackProcess
from contracts.project import PROJECT
from tests.ports import free_port

UNIT = PROJECT / "deploy" / "systemd" / "framegate.service"
#: What systemd gives a service that names nothing else.
BARE = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", "LANG": "C.UTF-8"}

Settings = list[tuple[str, str]]


@pytest.fixture
def unit(tmp_path: Path) -> str:
    """The unit, for this clone and a home of the test's own."""
    text = UNIT.read_text()
    for folder in ("lib", "cache"):
        text = text.replace(f"/var/{folder}/framegate", str(tmp_path / folder))
    return text.replace("/opt/framegate", str(PROJECT))


@pytest.fixture
def service(unit: str) -> Settings:
    """The settings of its service, in order; some stand there several times."""
    section = unit.partition("[Service]")[2].partition("[Install]")[0]
    lines = (line for line in section.splitlines() if line and not line.startswith("#"))
    return [(key, value) for key, _, value in (line.partition("=") for line in lines)]


@pytest.fixture
def environment(service: Settings, database_of: object, tmp_path: Path) -> Mapping[str, str]:
    named = dict(value.split("=", 1) for key, value in service if key == "Environment")
    assert named["FRAMEGATE_HOME"] == str(tmp_path / "lib")
    database = database_of(tmp_path / "lib")  # type: ignore[operator]
    return {**BARE, **named, **database, "FRAMEGATE_PORT": str(free_port())}


def test_systemd_finds_nothing_wrong_with_the_unit(unit: str, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed")
    path = tmp_path / UNIT.name
    path.write_text(unit)
    done = subprocess.run(
        ["systemd-analyze", "verify", str(path)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_service_may_make_cgroups_with_a_memory_limit(service: Settings) -> None:
    given = dict(service)

    assert "memory" in given["Delegate"].split()
    assert given.get("ProtectControlGroups", "no") == "no"


def test_the_service_starts_and_stops_as_the_unit_says(
    service: Settings, environment: Mapping[str, str]
) -> None:
    given = dict(service)
    [command] = [value for key, value in service if key == "ExecStart"]
    with subprocess.Popen(
        [*shlex.split(command), "--json"],
        cwd=given["WorkingDirectory"],
        env=environment,
        umask=int(given["UMask"], 8),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            ready = StackProcess(process.stdout or ()).until_ready(lambda _event: None)
            tree = psutil.Process(process.pid).children(recursive=True)
        finally:
            process.send_signal(getattr(signal, given.get("KillSignal", "SIGTERM")))
            process.communicate(timeout=float(given["TimeoutStopSec"]))

    assert process.returncode == 0
    assert [part for part in tree if part.is_running()] == []
    run = Path(ready.home, "run")
    assert [path for path in run.rglob("*") if path.is_socket()] == []
    assert not (run / "queue.lock").exists()
    readable = [path for path in Path(ready.home).rglob("*") if _is_open_to_others(path)]
    assert readable == []


def _is_open_to_others(path: Path) -> bool:
    return not path.is_symlink() and bool(os.lstat(path).st_mode & 0o077)
