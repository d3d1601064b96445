"""Ends by an exception of a kind that nobody expects."""

import asyncio
import errno
import os
import sys
from pathlib import Path
from typing import NoReturn

from pipelines.sdk import Findings

_HUGE = 20_000_000


class OwnError(BaseException):
    """Not an Exception."""


class SilentError(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class LeavingError(Exception):
    def __str__(self) -> str:  # noqa: PLE0307 - the point of it
        sys.exit("from __str__")


class NumberError(Exception):
    def __str__(self) -> str:
        return 5  # type: ignore[return-value]  # noqa: PLE0307 - the point of it


def raises(_folder: Path, _right: Findings) -> NoReturn:
    raise ValueError("as asked")


def raises_without_text(_folder: Path, _right: Findings) -> NoReturn:
    raise AssertionError


def exits(_folder: Path, _right: Findings) -> NoReturn:
    sys.exit(3)


def exits_with_a_text(_folder: Path, _right: Findings) -> NoReturn:
    sys.exit("no model here")


def interrupts_itself(_folder: Path, _right: Findings) -> NoReturn:
    raise KeyboardInterrupt


def exits_a_generator(_folder: Path, _right: Findings) -> NoReturn:
    raise GeneratorExit("over")


def cancels_a_task(_folder: Path, _right: Findings) -> NoReturn:
    raise asyncio.CancelledError("enough")


def stops_an_iteration(_folder: Path, _right: Findings) -> NoReturn:
    raise StopIteration("end")


def raises_what_is_no_exception(_folder: Path, _right: Findings) -> NoReturn:
    raise OwnError("of my own")


def raises_a_group(_folder: Path, _right: Findings) -> NoReturn:
    raise ExceptionGroup("two at once", [ValueError("one"), KeyError("two")])


def raises_what_has_no_text(_folder: Path, _right: Findings) -> NoReturn:
    raise SilentError


def raises_what_exits_when_read(_folder: Path, _right: Findings) -> NoReturn:
    raise LeavingError


def raises_what_reads_as_a_number(_folder: Path, _right: Findings) -> NoReturn:
    raise NumberError


def raises_a_book(_folder: Path, _right: Findings) -> NoReturn:
    raise ValueError("x" * _HUGE)


def raises_because_of_a_book(_folder: Path, _right: Findings) -> NoReturn:
    try:
        raise ValueError("x" * _HUGE)  # noqa: TRY301 - what an author may write
    except ValueError as error:
        raise RuntimeError("because of a book") from error


def raises_surrogates(_folder: Path, _right: Findings) -> NoReturn:
    raise OSError(errno.ENOENT, os.strerror(errno.ENOENT), os.fsdecode(b"caf\xe9.mp4"))


def raises_half_a_character(_folder: Path, _right: Findings) -> NoReturn:
    raise ValueError("caf\udce9")


def raises_controls(_folder: Path, _right: Findings) -> NoReturn:
    raise ValueError("\x1b[2J\x00gone\r\x07")


def raises_html(_folder: Path, _right: Findings) -> NoReturn:
    raise ValueError("<script>alert(1)</script>")


def recurses(folder: Path, right: Findings) -> Findings:
    return recurses(folder, right)


def raises_a_long_chain(_folder: Path, _right: Findings) -> NoReturn:
    error: Exception | None = None
    for number in range(300):
        link = ValueError(f"link {number}")
        link.__cause__ = error
        error = link
    raise RuntimeError("at the end of a chain") from error


def raises_in_a_circle(_folder: Path, _right: Findings) -> NoReturn:
    first, second = ValueError("first"), ValueError("second")
    first.__cause__, second.__cause__ = second, first
    raise first


def runs_out_of_memory(_folder: Path, _right: Findings) -> NoReturn:
    raise MemoryError


def may_not(_folder: Path, _right: Findings) -> NoReturn:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/secret")


def imports_what_is_not_there(_folder: Path, right: Findings) -> Findings:
    import nowhere_to_be_found  # type: ignore[import-not-found]  # noqa: F401, PLC0415 - the point of it

    return right


def asks_dagster_to_retry(_folder: Path, _right: Findings) -> NoReturn:
    from dagster import RetryRequested  # noqa: PLC0415 - a pipeline needs no Dagster

    raise RetryRequested


def pretends_to_be_cancelled(_folder: Path, _right: Findings) -> NoReturn:
    from dagster import DagsterExecutionInterruptedError  # noqa: PLC0415 - as above

    raise DagsterExecutionInterruptedError
