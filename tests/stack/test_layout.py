import os
from pathlib import Path

import pytest

from api.stack.errors import StackError
from api.stack.layout import code_socket, lay_out
from contracts.home import Home
from contracts.project import PROJECT


@pytest.fixture
def deep_home(tmp_path: Path) -> Home:
    home = Home(tmp_path / ("deep" * 25))
    lay_out(home)
    return home


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
    lay_out(home)

    with code_socket(home) as socket:
        assert socket == home.run / "code.sock"


def test_a_home_too_deep_for_sockets_has_its_socket_in_a_private_folder(deep_home: Home) -> None:
    with code_socket(deep_home) as socket:
        assert len(os.fsencode(socket)) <= 107
        assert socket.parent.stat().st_mode & 0o777 == 0o700


def test_no_socket_outlives_its_use(deep_home: Home) -> None:
    with code_socket(deep_home) as socket:
        socket.touch()

    assert not socket.parent.exists()


def test_a_socket_left_behind_is_in_nobodys_way(deep_home: Home) -> None:
    with code_socket(deep_home) as socket:
        socket.touch()
        with code_socket(deep_home) as again:
            assert again == socket
            assert not again.exists()
        socket.parent.mkdir(mode=0o700)


def test_a_private_folder_that_others_may_enter_is_refused(deep_home: Home) -> None:
    with code_socket(deep_home) as socket:
        socket.parent.chmod(0o755)
        with pytest.raises(StackError, match="not a private folder"), code_socket(deep_home):
            pass
