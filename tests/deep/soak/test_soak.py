"""A soak of a few minutes; `make soak MINUTES=30` makes it long."""

import json
import os
import random
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.deep.soak.history import History, read_history
from tests.deep.soak.invariants import violations
from tests.deep.soak.report import summary, table
from tests.deep.soak.soak import Soak
from tests.deep.soak.stack import SoakedStack

MINUTES = float(os.environ.get("FRAMEGATE_SOAK_MINUTES") or 3)
#: Recorded in the history: the same seed makes the same decisions again.
SEED = int(os.environ.get("FRAMEGATE_SOAK_SEED") or random.SystemRandom().randrange(10**6))
DATABASE = os.environ.get("FRAMEGATE_TEST_DATABASE") or "sqlite"
FOLDER = os.environ.get("FRAMEGATE_SOAK_FOLDER")


@pytest.fixture
def fake_gpus(tmp_path: Path) -> Path:
    """Two devices made of files, of 8 and 4 GiB."""
    folder = tmp_path / "gpus"
    for gibibytes in (8, 4):
        device = folder / f"GPU-{gibibytes}"
        device.mkdir(parents=True)
        (device / "total").write_text(str(gibibytes * 2**30))
    return folder


@pytest.mark.slow
@pytest.mark.timeout(MINUTES * 60 + 1200)
def test_nothing_is_lost_or_doubled_whatever_is_killed(
    tmp_path: Path,
    start_up: Callable[..., Any],
    database_of: Callable[[Path], Mapping[str, str]],
    monkeypatch: pytest.MonkeyPatch,
    fake_gpus: Path,
) -> None:
    folder = Path(FOLDER).resolve() if FOLDER else tmp_path
    folder.mkdir(parents=True, exist_ok=True)
    history = History(folder / f"soak-{SEED}.jsonl")
    history.path.unlink(missing_ok=True)
    began = time.monotonic()
    home = folder / f"soak-{SEED}"  # its logs are kept with the history
    shutil.rmtree(home, ignore_errors=True)
    # The survey opens Dagster's instance in this process.
    for name, value in {"FRAMEGATE_HOME": str(home), **database_of(home)}.items():
        monkeypatch.setenv(name, value)
    gpus = {
        "FRAMEGATE_INVENTORY": "framegate_fake_gpu:FakeInventory",
        "FRAMEGATE_FAKE_GPUS": str(fake_gpus),
        "FRAMEGATE_GPU_SLOTS": "2",
    }
    stack = SoakedStack(home, start_up, gpus, history, lambda: round(time.monotonic() - began, 4))

    Soak(stack, history, SEED, MINUTES, DATABASE).run()

    records = list(read_history(history.path))
    found = violations(records)
    report = summary(records, found)
    history.path.with_suffix(".json").write_text(json.dumps(report, indent=1))
    print(table(report, str(history.path)))  # noqa: T201 - shown by -s, and where it fails
    assert not found, f"seed {SEED}, history {history.path}: {found[0]}"
