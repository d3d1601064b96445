"""Ports on this machine: whether one can be had, and which is free."""

import errno
import socket
import time

from api.stack.errors import StackError

_POLL_SECONDS = 0.1


def require_port(host: str, port: int, *, flag: str, patience: float = 0.0) -> None:
    """Raises StackError if nothing can listen there, naming the flag that chooses another.

    `patience` is how many seconds to wait for it to become free.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline and not is_free(host, port):
        time.sleep(_POLL_SECONDS)
    _listen(host, port, flag)


def is_free(host: str, port: int) -> bool:
    try:
        _listen(host, port, flag="")
    except StackError:
        return False
    return True


def free_port(host: str = "127.0.0.1") -> int:
    """A port that was free a moment ago."""
    with socket.create_server((host, 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


def _listen(host: str, port: int, flag: str) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except socket.gaierror as error:
        raise StackError(
            f"The host {host!r} is not an address of this machine.",
            hint="Give one with --host, for example --host 127.0.0.1.",
        ) from error
    except OSError as error:
        raise StackError(
            f"Port {port} on {host} {_reason(error)}.",
            hint=f"Stop what uses it, or choose another port with {flag}.",
        ) from error


def _reason(error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return "is taken by another program"
    if error.errno == errno.EACCES:
        return "is reserved for the system"
    return f"cannot be listened on: {error.strerror}"
