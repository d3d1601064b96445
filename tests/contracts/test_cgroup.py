"""Where the groups of runs may lie, in trees made of files: no machine has all of them."""

import os
from pathlib import Path

import pytest

from contracts.cgroup import NoCgroupsError, make_room_for_runs, parent_of_runs, usable_memory


class Tree:
    """A cgroup v2 as the kernel shows it; `own` is this process's group."""

    def __init__(self, folder: Path, own: str) -> None:
        self.mount, self.own_group = folder / "cgroup", folder / "cgroup" / own.lstrip("/")
        self.mounts, self.own = folder / "mountinfo", folder / "own"
        self.mounts.write_text(f"30 23 0:26 / {self.mount} rw - cgroup2 cgroup2 rw\n")
        self.own.write_text(f"4:cpu:/elsewhere\n0::{own}\n")
        self.add(self.mount)
        (self.mount / "cgroup.type").unlink()

    def add(
        self, group: Path, *, limited: str = "", processes: str = "", most: str = "max"
    ) -> Path:
        group.mkdir(parents=True, exist_ok=True)
        for name, content in {
            "cgroup.controllers": "cpu memory pids",
            "cgroup.subtree_control": limited,
            "cgroup.procs": processes,
            "cgroup.type": "domain",
            "memory.max": most,
        }.items():
            (group / name).write_text(content)
        return group

    def parent_of_runs(self) -> Path:
        return parent_of_runs(self.mounts, self.own)


@pytest.fixture
def service(tmp_path: Path) -> Tree:
    """A stack in the leaf of its own service, which was delegated to it."""
    tree = Tree(tmp_path, "/system.slice/framegate.service/stack")
    tree.add(tree.own_group.parent)
    tree.add(tree.own_group, processes=str(os.getpid()))
    return tree


def test_groups_of_runs_lie_beside_the_stacks_own(service: Tree) -> None:
    assert service.parent_of_runs() == service.own_group.parent


def test_in_the_machines_root_they_lie_below_it(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "/")
    (tree.mount / "cgroup.procs").write_text("1\n2\n")

    assert tree.parent_of_runs() == tree.mount


def test_a_group_with_processes_of_its_own_has_no_limited_groups(service: Tree) -> None:
    service.add(service.own_group.parent, processes="77")

    with pytest.raises(NoCgroupsError, match="holds processes itself"):
        service.parent_of_runs()


def test_a_kernel_that_controls_memory_by_version_1_says_so(service: Tree) -> None:
    (service.own_group.parent / "cgroup.controllers").write_text("hugetlb")

    with pytest.raises(NoCgroupsError, match="does not control memory"):
        service.parent_of_runs()


def test_a_machine_without_cgroups_says_so(tmp_path: Path) -> None:
    with pytest.raises(NoCgroupsError, match="no cgroup v2"):
        parent_of_runs(tmp_path / "none", tmp_path / "none")


def test_a_service_that_is_alone_makes_room_beside_itself(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "/framegate.service")
    tree.add(tree.own_group, processes=f"{os.getpid()}\n")

    make_room_for_runs(tree.mounts, tree.own)

    assert (tree.own_group / "stack" / "cgroup.procs").read_text() == "0"


def test_a_stack_that_shares_its_group_with_others_stays_in_it(tmp_path: Path) -> None:
    tree = Tree(tmp_path, "/session.scope")
    tree.add(tree.own_group, processes=f"1\n{os.getpid()}\n")

    make_room_for_runs(tree.mounts, tree.own)

    assert not (tree.own_group / "stack").exists()


def test_the_least_limit_above_the_stack_is_what_it_can_use(service: Tree) -> None:
    service.add(service.own_group.parent, most=str(10**6))

    assert usable_memory(service.mounts, service.own) == 10**6
