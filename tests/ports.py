"""Ports for the programs that tests start."""

import random
import socket

from api.stack.ports import is_free

#: Below those that the kernel gives to outgoing connections (32768 and up).
_PORTS = range(20_000, 32_000)
#: What holds the ports that were handed out, until this process ends.
_claims: list[socket.socket] = []


def free_port() -> int:
    """A free port that no other test process on this machine is given while this one lives.

    An abstract Unix socket claims the number: the kernel binds its name only once, and releases it
    however the process ends.
    """
    for port in random.sample(_PORTS, len(_PORTS)):
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(f"\0framegate-test-port-{port}")
        except OSError:
            claim.close()
            continue
        if is_free("127.0.0.1", port):
            _claims.append(claim)
            return port
        claim.close()
    raise AssertionError("every port for tests is taken")
