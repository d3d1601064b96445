"""What the page on backups shows is run as it stands; only the folders differ."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from api.backup.manifest import read_manifest
from api.stack.events import StackReady
from tests.postgresql import BINARIES

_SECONDS = 240


@pytest.fixture
def folder(
    read_page: Any,
    stack: StackReady,
    bare_environment: Mapping[str, str],
    database_of: Callable[[Path], Mapping[str, str]],
    tmp_path: Path,
) -> Path:
    """Where the backups of the running stack, and the home of one of them, lie afterwards."""
    page = read_page("docs/backup.md")
    [backup] = page.section("## Backup").blocks("sh")
    [restore] = page.section("## Restore").blocks("sh")
    programs = os.pathsep.join([str(Path(sys.executable).parent), str(BINARIES)])
    path = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    for block, home in ((backup, Path(stack.home)), (restore, tmp_path / "restored")):
        command = block.replace("/mnt/backup", str(tmp_path)).replace("/srv/framegate", str(home))
        subprocess.run(
            ["bash", "-euc", command.partition("framegate up")[0]],  # noqa: S607 - the reader's own shell
            env={**bare_environment, **database_of(home), **path, "FRAMEGATE_HOME": str(home)},
            check=True,
            timeout=_SECONDS,
        )
    return tmp_path


def test_both_backups_are_whole_and_one_becomes_a_home(folder: Path) -> None:
    monday, tuesday = (read_manifest(folder / day) for day in ("monday", "tuesday"))

    assert monday.files.keys() <= tuesday.files.keys()
    restored = folder / "restored"
    assert {name for name in tuesday.files if not (restored / name).exists()} == set()
