"""The kernel's control groups, version 2: where this process may give a run a group of its own.

The groups of runs lie beside the process's own group, because the kernel lets a group that holds
processes have no limited groups below it ("no internal processes"). See cgroups(7) and
https://docs.kernel.org/admin-guide/cgroup-v2.html.
"""

import os
from contextlib import suppress
from pathlib import Path

import psutil

_MOUNTS = Path("/proc/self/mountinfo")
_OWN = Path("/proc/self/cgroup")
_LEAF = "stack"


class NoCgroupsError(Exception):
    """No group with a memory limit can be made here; the message says why."""


def parent_of_runs(mounts: Path = _MOUNTS, own: Path = _OWN) -> Path:
    """The group in which groups with a memory limit may be made. Changes nothing.

    Raises NoCgroupsError.
    """
    mount, group = _find(mounts, own)
    parent = group if group == mount else group.parent
    if "memory" not in _words(parent / "cgroup.controllers"):
        raise NoCgroupsError(f"cgroup v2 does not control memory in {parent}")
    if not all(os.access(path, os.W_OK) for path in (parent, parent / "cgroup.procs")):
        raise NoCgroupsError(f"this user may not make groups in {parent}")
    is_limited = "memory" in _words(parent / "cgroup.subtree_control")
    if not is_limited and not _is_root(parent) and _words(parent / "cgroup.procs"):
        raise NoCgroupsError(f"{parent} holds processes itself")
    return parent


def limit_memory_below(group: Path) -> None:
    """Lets the groups in this one have a memory limit. Raises OSError."""
    if "memory" not in _words(group / "cgroup.subtree_control"):
        (group / "cgroup.subtree_control").write_text("+memory")


def make_room_for_runs(mounts: Path = _MOUNTS, own: Path = _OWN) -> None:
    """Moves this process one group down where it is alone in its group, as a service is: then the
    runs' groups can lie beside it, and stay part of the service.
    """
    with suppress(NoCgroupsError, OSError):  # then memory is watched, and `doctor` says why
        _mount, group = _find(mounts, own)
        if _is_root(group) or _words(group / "cgroup.procs") != [str(os.getpid())]:
            return
        if "memory" not in _words(group / "cgroup.controllers"):
            return
        (group / _LEAF).mkdir(exist_ok=True)
        (group / _LEAF / "cgroup.procs").write_text("0")


def usable_memory(mounts: Path = _MOUNTS, own: Path = _OWN) -> int:
    """Bytes of memory of this machine, or fewer where a group of this process has a limit."""
    limits = [psutil.virtual_memory().total]
    with suppress(NoCgroupsError):
        mount, group = _find(mounts, own)
        for each in (group, *group.parents):
            limits += [int(word) for word in _words(each / "memory.max") if word.isdecimal()]
            if each == mount:
                break
    return min(limits)


def _find(mounts: Path, own: Path) -> tuple[Path, Path]:
    """Where cgroup v2 is mounted, and this process's group in it."""
    mount = next((line.split() for line in _lines(mounts) if " - cgroup2 " in line), None)
    path = next((line[3:] for line in _lines(own) if line.startswith("0::")), None)
    if mount is None or path is None:
        raise NoCgroupsError("this machine has no cgroup v2")
    root, folder = mount[3], Path(mount[4])
    if ".." in path or not Path(path).is_relative_to(root):
        raise NoCgroupsError(f"the group {path} lies outside of {folder}")
    return folder, folder / Path(path).relative_to(root)


def _is_root(group: Path) -> bool:
    """Whether it is the machine's own root, which may hold processes and limited groups."""
    return not (group / "cgroup.type").exists()


def _lines(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text().splitlines()
    return []


def _words(path: Path) -> list[str]:
    with suppress(OSError):
        return path.read_text().split()
    return []
