"""The socket on which the API is served."""

import socket
from contextlib import closing

import pytest
import uvicorn
from fastapi import FastAPI

from api.__main__ import listen

PATIENCE = 60.0


def test_a_connection_whose_other_side_never_reads_ends_by_itself() -> None:
    config = uvicorn.Config(FastAPI(), host="127.0.0.1", port=0, log_config=None)
    with closing(listen(config, deaf_seconds=0.5)) as listener, socket.socket() as deaf:
        listener.listen()
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        deaf.connect(listener.getsockname())
        connection, _address = listener.accept()
        with connection:
            connection.settimeout(PATIENCE)
            with pytest.raises(TimeoutError) as ended:
                connection.sendall(bytes(64 * 1024**2))
    assert ended.value.errno is not None, "the connection went on until the test lost patience"
