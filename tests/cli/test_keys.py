import json
import time
from pathlib import Path

import httpx
import pytest

from api.stack.events import StackReady
from tests.conftest import Framegate


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_creating_a_key_prints_the_key_alone_without_a_stack(
    framegate: Framegate, home: Path
) -> None:
    made = framegate("keys", "create", "--role", "reader", "--name", "ann", "--home", home)

    assert made.returncode == 0
    assert made.stdout.startswith("fg_")
    assert made.stdout.count("\n") == 1
    assert made.stderr == ""


def test_where_a_viewer_is_served_a_link_opens_it_with_the_key(
    framegate: Framegate, home: Path, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("<!doctype html>")
    create = ("keys", "create", "--role", "reader", "--name", "ann", "--home", home)
    made = framegate(*create, FRAMEGATE_VIEWER=str(tmp_path), FRAMEGATE_PUBLIC_URL="https://lab")

    assert made.stdout.count("\n") == 1
    assert f"https://lab/viewer-connect#{made.stdout.strip()}\n" in made.stderr


def test_a_viewer_that_is_none_is_told(framegate: Framegate, home: Path, tmp_path: Path) -> None:
    failed = framegate("keys", "list", "--home", home, FRAMEGATE_VIEWER=str(tmp_path))

    assert failed.returncode == 2
    assert "FRAMEGATE_VIEWER:" in failed.stderr
    assert "has no index.html" in failed.stderr


def test_a_key_made_while_the_stack_runs_opens_it_until_it_is_revoked(
    framegate: Framegate, stack: StackReady
) -> None:
    made = framegate(
        *("keys", "create", "--role", "reader", "--name", "brief", "--json", "--home", stack.home)
    )
    key = json.loads(made.stdout)

    def status() -> int:
        headers = {"X-API-Key": key["key"]}
        return httpx.get(f"{stack.url}/api/v1/jobs", headers=headers, trust_env=False).status_code

    assert status() == 200
    framegate("keys", "revoke", key["id"], "--home", stack.home)
    while status() == 200:  # believed for a moment more
        time.sleep(0.2)
    assert status() == 401


def test_listed_keys_hold_no_secret(framegate: Framegate, home: Path) -> None:
    secret = framegate("keys", "create", "--role", "admin", "--name", "ann", "--home", home).stdout
    for options in ([], ["--json"]):
        listed = framegate("keys", "list", "--home", home, *options)

        assert "ann" in listed.stdout
        assert secret.strip() not in listed.stdout


def test_a_name_is_used_once(framegate: Framegate, home: Path) -> None:
    create = ("keys", "create", "--role", "admin", "--name", "ann", "--home", home)
    framegate(*create)
    again = framegate(*create)

    assert again.returncode == 1
    assert "ann" in again.stderr
    assert again.stdout == ""


def test_an_unknown_role_is_a_wrong_command_line(framegate: Framegate, home: Path) -> None:
    failed = framegate("keys", "create", "--role", "king", "--name", "ann", "--home", home)

    assert failed.returncode == 2
    assert "annotator" in failed.stderr


def test_a_database_that_is_none_is_told(framegate: Framegate, home: Path) -> None:
    home.mkdir()
    (home / "framegate.db").write_text("not a database, but long enough to be taken for one" * 99)
    failed = framegate("keys", "list", "--home", home, FRAMEGATE_DATABASE_URL="")

    assert failed.returncode == 1
    assert "cannot be used: file is not a database" in failed.stderr


def test_a_key_may_come_with_a_webhook_whose_secret_is_shown_once(
    framegate: Framegate, home: Path
) -> None:
    made = framegate(
        *("keys", "create", "--role", "annotator", "--name", "ann", "--home", home),
        *("--webhook", "https://lab.example/private-path"),
    )
    listed = framegate("keys", "list", "--home", home)

    assert made.stdout.startswith("fg_")
    assert made.stdout.count("\n") == 1
    assert "whsec_" in made.stderr
    assert "lab.example" in listed.stdout
    assert "private-path" not in listed.stdout
    assert "whsec_" not in listed.stdout
