"""Refuses a process every socket for good, by a filter of its system calls (seccomp(2)).

Landlock leaves open what this closes: UDP, and Unix sockets that have a path, such as a Docker
daemon's. Sockets that are open already are not touched.
Sources: Linux, "Seccomp BPF (SECure COMPuting with filters)"; the kernel's tables of system calls.
"""

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

_SET_SECCOMP, _FILTER_MODE = 22, 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.EACCES
#: Instructions of BPF: load a word of the call's description; jump if equal, or not below; return.
_LOAD, _JUMP_IF_EQUAL, _JUMP_UNLESS_BELOW, _RETURN = 0x20, 0x15, 0x35, 0x06
#: Where that description (`struct seccomp_data`) has the call's number and its architecture.
_NUMBER, _ARCHITECTURE = 0, 4
#: From here on, the same calls once more with pointers of 32 bits; aarch64 has none so high.
_X32_CALLS = 0x40000000


@dataclass(frozen=True)
class _Calls:
    """An architecture as `AUDIT_ARCH_…` names it, and its numbers of the calls to refuse: socket,
    socketpair and io_uring_setup, since a ring makes sockets as well.
    """

    architecture: int
    refused: tuple[int, ...]


_BY_MACHINE = {
    "x86_64": _Calls(0xC000003E, (41, 53, 425)),
    "aarch64": _Calls(0xC00000B7, (198, 199, 425)),
}

_libc = ctypes.CDLL(None, use_errno=True)


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def can_refuse_sockets() -> bool:
    """Whether the kernel filters calls, and the numbers of this architecture's are known here."""
    if platform.machine() not in _BY_MACHINE:
        return False
    _libc.prctl(_SET_SECCOMP, _FILTER_MODE, None, 0, 0)  # no filter lies there: nothing is set
    return ctypes.get_errno() == errno.EFAULT


def refuse_sockets() -> None:
    """From here on this thread, and what it starts, makes no socket: trying raises EACCES.

    The thread must have given up new privileges (PR_SET_NO_NEW_PRIVS). Raises OSError.
    """
    instructions = _filter(_BY_MACHINE[platform.machine()])
    program = _Program(len(instructions), b"".join(instructions))
    if _libc.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _filter(calls: _Calls) -> list[bytes]:
    """Calls of another architecture are refused as well: the same number means another call."""
    rejections = [
        (_JUMP_UNLESS_BELOW, _X32_CALLS),
        *((_JUMP_IF_EQUAL, number) for number in calls.refused),
    ]
    # A jump counts the instructions that it passes over; the last two are "allow" and "refuse".
    jumps = [
        _instruction(code, value, if_true=len(rejections) - index)
        for index, (code, value) in enumerate(rejections)
    ]
    return [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_JUMP_IF_EQUAL, calls.architecture, if_false=len(rejections) + 2),
        _instruction(_LOAD, _NUMBER),
        *jumps,
        _instruction(_RETURN, _ALLOW),
        _instruction(_RETURN, _REFUSE),
    ]


def _instruction(code: int, value: int, *, if_true: int = 0, if_false: int = 0) -> bytes:
    """`struct sock_filter`."""
    return struct.pack("=HBBI", code, if_true, if_false, value)
