"""The environment that a run's worker is left with."""

import json
import subprocess
import sys

import pytest

#: Prints what it, a child of it and /proc show of the environment, after replacing that.
PROGRAM = """
import json, os, subprocess, sys
from pathlib import Path
from orchestration.launcher.environment import replace_environment

replace_environment({"PATH": os.environ["PATH"], "KEPT": "yes"})
child = subprocess.run([sys.executable, "-c", "import os; print(dict(os.environ))"],
                       capture_output=True, text=True, check=True).stdout
print(json.dumps({
    "own": dict(os.environ), "child": child, "proc": Path("/proc/self/environ").read_text(),
}))
"""


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("PASSWORD", "tell nobody")
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_what_is_kept_is_there_for_the_process_and_its_children(seen: dict[str, str]) -> None:
    assert "KEPT" in seen["own"]
    assert "'KEPT': 'yes'" in seen["child"]


@pytest.mark.parametrize("who", ["own", "child", "proc"])
def test_the_rest_is_gone(seen: dict[str, str], who: str) -> None:
    assert "PASSWORD" not in seen[who]
    assert "tell nobody" not in str(seen[who])
