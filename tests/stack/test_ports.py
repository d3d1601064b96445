import socket
import threading
from collections.abc import Iterator

import pytest

from api.stack.errors import StackError
from api.stack.ports import free_port, is_free, require_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_taken_port_is_named_with_the_flag_that_chooses_another(taken: int) -> None:
    with pytest.raises(StackError, match=f"Port {taken} on 127.0.0.1 is taken") as raised:
        require_port("127.0.0.1", taken, flag="--port")

    assert "--port" in (raised.value.hint or "")


def test_a_free_port_is_free() -> None:
    assert is_free("127.0.0.1", free_port())


def test_patience_waits_for_a_port_to_become_free() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    threading.Timer(0.3, listener.close).start()

    require_port("127.0.0.1", port, flag="--port", patience=30.0)

    assert listener.fileno() == -1


def test_an_address_of_another_machine_is_no_address_to_listen_on() -> None:
    with pytest.raises(StackError, match="cannot be listened on"):
        require_port("192.0.2.1", free_port(), flag="--port")


def test_a_host_that_does_not_exist_is_named() -> None:
    with pytest.raises(StackError, match=r"nowhere\.invalid"):
        require_port("nowhere.invalid", 8000, flag="--port")
