import json
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import Framegate


@pytest.fixture
def framegate(framegate: Framegate) -> Framegate:
    """On SQLite; what PostgreSQL's own programs do is tested beside the code that calls them."""
    return partial(framegate, FRAMEGATE_DATABASE_URL="")


@pytest.fixture
def home(framegate: Framegate, tmp_path: Path) -> Path:
    """With a key in it."""
    home = tmp_path / "home"
    made = framegate("keys", "create", "--role", "admin", "--name", "ada", "--home", home)
    assert made.returncode == 0, made.stderr
    return home


def test_a_backup_and_its_restore_say_what_they_did(
    framegate: Framegate, home: Path, tmp_path: Path
) -> None:
    taken = framegate("backup", tmp_path / "backup", "--home", home, "--json")
    back = framegate("restore", tmp_path / "backup", "--home", tmp_path / "again")

    assert json.loads(taken.stdout)["database"] == "sqlite"
    assert "files: 2," in back.stderr
    assert "ada" in framegate("keys", "list", "--home", tmp_path / "again").stdout


def test_what_is_no_backup_is_refused_with_a_hint(framegate: Framegate, tmp_path: Path) -> None:
    refused = framegate("restore", tmp_path, "--home", tmp_path / "home", "--json")
    error = json.loads(refused.stdout)["error"]

    assert refused.returncode == 1
    assert error["code"] == "BACKUP"
    assert error["hint"]
