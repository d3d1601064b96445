"""Confines a process for good: it opens no files but those named, and reaches no network.

By Landlock (landlock(7)), a security module of Linux that any process may use on itself, and by a
filter of system calls that refuses sockets. Neither touches files that are open already.
"""

import ctypes
import os
import struct
from collections.abc import Sequence
from pathlib import Path

from contracts.seccomp import can_refuse_sockets, refuse_sockets

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all architectures
_VERSION_QUERY = 1
_PATH_BENEATH = 1
_NO_NEW_PRIVILEGES = 38
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
#: How many kinds of access to files each version knows; later ones know as many as the fifth.
_FILE_ACCESSES = {1: 13, 2: 14, 3: 15, 4: 15}
_ALL_FILE_ACCESSES = 16
#: From these versions on: binding and connecting by TCP; abstract Unix sockets, and signals.
_TCP_SINCE, _SCOPES_SINCE = 4, 6

_libc = ctypes.CDLL(None, use_errno=True)


def landlock_version() -> int:
    """The version of Landlock that this kernel offers; 0 for none."""
    return max(0, int(_libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _VERSION_QUERY)))


def confine(readable: Sequence[Path]) -> None:
    """From here on this thread, and what it starts, opens nothing but these files, and what
    is in these folders, for reading.

    Where the kernel lacks one of the two means, the other holds. Raises OSError where one
    that it has fails.
    """
    _check(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    if version := landlock_version():
        _restrict(version, readable)
    if can_refuse_sockets():
        refuse_sockets()


def _restrict(version: int, readable: Sequence[Path]) -> None:
    accesses = (1 << _FILE_ACCESSES.get(version, _ALL_FILE_ACCESSES)) - 1
    tcp = 0b11 if version >= _TCP_SINCE else 0
    scopes = 0b11 if version >= _SCOPES_SINCE else 0
    attributes = struct.pack("=QQQ", accesses, tcp, scopes)
    known = 24 if scopes else 16 if tcp else 8  # an older kernel refuses what it does not know
    ruleset = _check(_libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(known), 0))
    try:
        for path in readable:
            _allow_reading(ruleset, path)
        _check(_libc.syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def _allow_reading(ruleset: int, path: Path) -> None:
    file = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        accesses = _READ_FILE | (_READ_FOLDER if path.is_dir() else 0)
        rule = struct.pack("=Qi", accesses, file)
        _check(_libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0))
    finally:
        os.close(file)


def _check(result: int) -> int:
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
