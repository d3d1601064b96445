import subprocess
import sys

import pytest

from api.stack.ports import is_free
from contracts.project import PROJECT
from tests import ports
from tests.ports import free_port


def test_a_port_for_a_test_is_free() -> None:
    assert is_free("127.0.0.1", free_port())


def test_another_process_is_not_given_a_port_that_is_handed_out() -> None:
    port = free_port()
    claim = f"import socket; socket.socket(socket.AF_UNIX).bind('\\0framegate-test-port-{port}')"

    other = subprocess.run(
        [sys.executable, "-c", claim], cwd=PROJECT, capture_output=True, text=True, check=False
    )

    assert "Address already in use" in other.stderr


def test_a_port_that_is_handed_out_is_not_handed_out_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    monkeypatch.setattr(ports, "_PORTS", [port])

    with pytest.raises(AssertionError, match="every port for tests is taken"):
        free_port()
