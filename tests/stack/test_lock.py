import re
import subprocess
import sys
from pathlib import Path

import pytest

from api.stack.errors import StackError
from api.stack.lock import RunningStack, find_running, hold_home

STACK = RunningStack(pid=1234, url="http://127.0.0.1:8000")


def test_a_held_home_says_who_holds_it(tmp_path: Path) -> None:
    with hold_home(tmp_path, STACK):
        assert find_running(tmp_path) == STACK


def test_a_home_is_held_once(tmp_path: Path) -> None:
    with (
        hold_home(tmp_path, STACK),
        pytest.raises(StackError, match=re.escape(f"process {STACK.pid}, {STACK.url}")),
        hold_home(tmp_path, STACK),
    ):
        pass


def test_no_file_outlives_the_holder(tmp_path: Path) -> None:
    with hold_home(tmp_path, STACK):
        pass

    assert list(tmp_path.iterdir()) == []
    assert find_running(tmp_path) is None


def test_the_home_of_a_killed_holder_is_free_and_known_as_such(tmp_path: Path) -> None:
    script = (
        "import os, pathlib, sys; from api.stack.lock import *\n"
        "with hold_home(pathlib.Path(sys.argv[1]), RunningStack(1, 'u')): os.abort()"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)

    assert find_running(tmp_path) is None
    with hold_home(tmp_path, STACK) as killed:
        assert killed


def test_who_only_looks_does_not_hold_the_home(tmp_path: Path) -> None:
    (tmp_path / "stack.lock").write_text("left behind")
    find_running(tmp_path)

    with hold_home(tmp_path, STACK):
        assert find_running(tmp_path) == STACK
