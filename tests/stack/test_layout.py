import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.stack.errors import StackError
from api.stack.layout import PROJECT, code_socket, lay_out
from contracts.home import Home


@pytest.fixture
def deep_home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / ("deep" * 25))
    lay_out(home)
    yield home
    shutil.rmtree(code_socket(home).parent)


def test_the_live_config_of_dagster_is_the_projects_own(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    lay_out(home)

    assert (home.dagster / "dagster.yaml").readlink() == PROJECT / "dagster.yaml"


def test_a_link_to_elsewhere_is_mended(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    lay_out(home)
    (home.dagster / "dagster.yaml").unlink()
    (home.dagster / "dagster.yaml").write_text("telemetry: {enabled: true}")
    lay_out(home)

    assert (home.dagster / "dagster.yaml").readlink() == PROJECT / "dagster.yaml"


def test_nobody_else_may_look_into_a_home(tmp_path: Path) -> None:
    lay_out(Home(tmp_path / "home"))

    assert (tmp_path / "home").stat().st_mode & 0o077 == 0


def test_a_file_cannot_be_a_home(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(StackError, match="cannot be the home"):
        lay_out(Home(tmp_path / "file"))


def test_the_socket_lies_in_the_home(tmp_path: Path) -> None:
    home = Home(tmp_path / "h")

    assert code_socket(home) == home.run / "code.sock"


def test_a_home_too_deep_for_sockets_has_its_socket_in_a_private_folder(deep_home: Home) -> None:
    socket = code_socket(deep_home)

    assert len(os.fsencode(socket)) <= 107
    assert socket.parent.stat().st_mode & 0o777 == 0o700
    assert code_socket(deep_home) == socket


def test_a_private_folder_that_others_may_enter_is_refused(deep_home: Home) -> None:
    folder = code_socket(deep_home).parent
    folder.chmod(0o755)

    with pytest.raises(StackError, match="not a private folder"):
        code_socket(deep_home)
    folder.chmod(0o700)
