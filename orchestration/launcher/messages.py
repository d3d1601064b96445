"""One question, one answer, over a Unix socket: a JSON line each way.

A nudge is a message without an answer.
"""

import json
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from contracts.socket_address import socket_address

_LONGEST = 65536


class NobodyListensError(Exception):
    """There is no socket at the path, or nobody answers on it."""


class NoAnswerError(NobodyListensError):
    """Somebody listens, who is busy: the answer did not come in time."""


def listen(path: Path) -> socket.socket:
    """A listening socket at `path`; one left behind by a process that is gone is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    with socket_address(path) as address:
        listener.bind(address)
    listener.listen(64)
    return listener


def ask(path: Path, message: Mapping[str, Any], timeout: float = 5.0) -> dict[str, Any]:
    """Sends `message` and returns the answer; raises NobodyListensError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        connection.settimeout(timeout)
        try:
            with socket_address(path) as address:
                connection.connect(address)
            send(connection, message)
            return receive(connection)
        except TimeoutError as error:
            raise NoAnswerError(f"{path.name}: {error}") from error
        except (OSError, ValueError) as error:
            raise NobodyListensError(f"{path.name}: {error}") from error


def is_anybody_there(path: Path) -> bool:
    """Whether a process listens at `path`, however busy it is: the kernel says so, not the process.

    A full queue of connections is refused with EAGAIN, that is, by somebody who is there.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        connection.settimeout(0.0)
        try:
            with socket_address(path) as address:
                connection.connect(address)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except BlockingIOError:
            return True
    return True


def remove_abandoned(folder: Path) -> None:
    """Removes the sockets in `folder` that were left behind by processes that are gone."""
    for path in folder.glob("*.sock"):
        if not is_anybody_there(path):
            path.unlink(missing_ok=True)


def send(connection: socket.socket, message: Mapping[str, Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def receive(connection: socket.socket, longest: int = _LONGEST) -> dict[str, Any]:
    """The next line, of `longest` bytes at most; raises ValueError if the other side hung up, or
    sent something else.
    """
    line = bytearray()
    while not line.endswith(b"\n"):
        part = connection.recv(65536)
        if not part or len(line) > longest:
            raise ValueError("no whole message was received")
        line += part
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("the message is not a JSON object")  # noqa: TRY004 - the sender's mistake
    return message


def sender(connection: socket.socket) -> int:
    """The id of the process that connected, as the kernel knows it: see SO_PEERCRED in unix(7)."""
    credentials = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    process: int = struct.unpack("3i", credentials)[0]
    return process


@contextmanager
def await_nudges(path: Path) -> Iterator[socket.socket]:
    """A socket that `nudge` makes readable, until the block ends."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as receiver:
        with socket_address(path) as address:
            receiver.bind(address)
        receiver.settimeout(0.0)
        try:
            yield receiver
        finally:
            path.unlink(missing_ok=True)


def nudge(path: Path) -> None:
    """Wakes whoever awaits nudges at `path`; nobody may be there, or be awake already."""
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    with sender, suppress(OSError), socket_address(path) as address:
        sender.settimeout(0.0)
        sender.sendto(b"!", address)
