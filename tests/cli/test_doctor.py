import json
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from api.cli.checks import State, check_database, check_home, check_ports
from api.settings import Settings
from api.stack.events import StackReady
from api.stack.ports import free_port

Framegate = Callable[..., subprocess.CompletedProcess[str]]


def test_a_machine_set_up_by_make_is_healthy(framegate: Framegate, tmp_path: Path) -> None:
    checked = framegate("doctor", "--json", "--home", tmp_path / "home")
    report = json.loads(checked.stdout)

    assert checked.returncode == 0
    assert report["healthy"]
    assert all(check["mend"] is None for check in report["checks"] if check["state"] == "ok")
    assert not (tmp_path / "home").exists()


def test_what_is_broken_comes_with_how_to_mend_it(framegate: Framegate, tmp_path: Path) -> None:
    (tmp_path / "framegate.db").write_text(
        "not a database, but long enough to be taken for one" * 9
    )
    checked = framegate("doctor", "--home", tmp_path, FRAMEGATE_DATABASE_URL="")

    assert checked.returncode == 1
    assert "restore the file" in checked.stdout


def test_a_database_server_that_is_away_is_broken(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, database_url="postgresql://me:secret@127.0.0.1:9/framegate")
    check = check_database(settings)

    assert check.state is State.BROKEN
    assert "127.0.0.1:9" in check.found
    assert "secret" not in check.found
    assert "FRAMEGATE_DATABASE_URL" in (check.mend or "")


def test_a_taken_port_is_a_warning_that_names_the_flag(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        api, dagster = check_ports(Settings(home=tmp_path, port=port, dagster_port=free_port()))

    assert (api.state, dagster.state) == (State.WARNING, State.OK)
    assert "--port" in (api.mend or "")


def test_the_ports_of_the_homes_own_stack_are_fine(stack: StackReady) -> None:
    port, dagster_port = (int(url.rsplit(":", 1)[1]) for url in (stack.url, stack.dagster_url))
    settings = Settings(home=Path(stack.home), port=port, dagster_port=dagster_port)

    assert [check.state for check in check_ports(settings)] == [State.OK, State.OK]
    assert stack.url in check_home(settings).found


def test_a_home_that_is_a_file_is_broken(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    assert check_home(Settings(home=tmp_path / "file")).state is State.BROKEN
