"""What a pipeline does to the process that it shares with others is undone."""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestration.annotation.shared_process import (
    FilesClosedError,
    only_in_this_process,
    process_restored,
)


def _in_child(work: Callable[[], None]) -> int:
    """The exit code of a process that does the work: 0 if all went well."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_forked_child_ends_where_the_block_ends(tmp_path: Path) -> None:
    def work() -> None:
        with only_in_this_process():
            os.fork()
        with (tmp_path / "went on").open("a") as file:
            file.write("one\n")
        os.wait()

    assert _in_child(work) == 0
    assert (tmp_path / "went on").read_text() == "one\n"


def test_the_process_is_as_it_was(tmp_path: Path) -> None:
    def work() -> None:
        before = (Path.cwd(), sys.getrecursionlimit(), dict(os.environ), sys.stdout)
        handler = signal.getsignal(signal.SIGTERM)
        with process_restored():
            os.chdir(tmp_path)
            os.umask(0o777)
            os.environ.clear()
            sys.setrecursionlimit(100)
            sys.stdout = None
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
        assert before == (Path.cwd(), sys.getrecursionlimit(), dict(os.environ), sys.stdout)
        assert signal.getsignal(signal.SIGTERM) is handler
        assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
        (tmp_path / "readable").write_text("as before")
        assert (tmp_path / "readable").stat().st_mode & 0o400

    assert _in_child(work) == 0


@pytest.mark.parametrize("files", [(1, 3), (3, 4096)])
def test_files_that_were_closed_are_told_and_opened_again(files: tuple[int, int]) -> None:
    def work() -> None:
        with pytest.raises(FilesClosedError), process_restored():
            os.closerange(*files)
        for file in (0, 1, 2):
            os.fstat(file)

    assert _in_child(work) == 0


def test_an_exception_passes_through() -> None:
    with pytest.raises(ValueError, match="as asked"), process_restored():
        raise ValueError("as asked")
