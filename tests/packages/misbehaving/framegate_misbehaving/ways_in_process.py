"""Does something to the process that runs it."""

import ctypes
import json
import logging
import os
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from pipelines.sdk import Findings

_LONG = 600.0


def forks_and_returns(_folder: Path, right: Findings) -> Findings:
    """Parent and child both go on."""
    os.fork()
    return right


def forks_and_raises(_folder: Path, right: Findings) -> Findings:
    if os.fork() == 0:
        raise ValueError("of the child")
    return right


def forks_and_exits(_folder: Path, right: Findings) -> Findings:
    if os.fork() == 0:
        sys.exit(5)
    return right


def forks_many(_folder: Path, right: Findings) -> Findings:
    for _ in range(3):
        os.fork()
    return right


def leaves_a_child_at_work(_folder: Path, right: Findings) -> Findings:
    if os.fork() == 0:
        time.sleep(_LONG)
    return right


def leaves_a_daemon(folder: Path, right: Findings) -> Findings:
    """Forks twice, in a session of its own."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            (folder.parents[1] / "daemon").write_text(str(os.getpid()))
            time.sleep(_LONG)
        os._exit(0)
    os.wait()
    while not (folder.parents[1] / "daemon").exists():
        time.sleep(0.01)
    return right


def lets_the_child_return(_folder: Path, right: Findings) -> Findings:
    """The parent, which is the worker, ends."""
    if os.fork() != 0:
        os._exit(4)
    return right


def ends_at_once(_folder: Path, _right: Findings) -> Findings:
    os._exit(0)


def ends_with_a_code(_folder: Path, _right: Findings) -> Findings:
    os._exit(3)


def becomes_another_program(_folder: Path, _right: Findings) -> Findings:
    os.execv("/bin/true", ["true"])  # noqa: S606 - the point of it


def crashes(_folder: Path, right: Findings) -> Findings:
    ctypes.string_at(0)
    return right


def aborts(_folder: Path, _right: Findings) -> Findings:
    os.abort()


def kills_itself(_folder: Path, right: Findings) -> Findings:
    os.kill(os.getpid(), signal.SIGKILL)
    return right


def signals_itself(_folder: Path, right: Findings) -> Findings:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(1.0)
    return right


def terminates_itself(_folder: Path, right: Findings) -> Findings:
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(1.0)
    return right


def sets_an_alarm(_folder: Path, right: Findings) -> Findings:
    signal.setitimer(signal.ITIMER_REAL, 0.01)
    time.sleep(_LONG)
    return right


def starts_threads_without_end(_folder: Path, right: Findings) -> Findings:
    for _ in range(4):
        threading.Thread(target=time.sleep, args=(_LONG,)).start()
    return right


def closes_all_files(_folder: Path, right: Findings) -> Findings:
    os.closerange(3, 4096)
    return right


def closes_every_file(_folder: Path, right: Findings) -> Findings:
    os.closerange(0, 4096)
    return right


def closes_the_output(_folder: Path, right: Findings) -> Findings:
    os.close(1)
    os.close(2)
    return right


def closes_sys_stdout(_folder: Path, right: Findings) -> Findings:
    sys.stdout.close()
    sys.stderr.close()
    return right


def removes_sys_stdout(_folder: Path, right: Findings) -> Findings:
    sys.stdout = sys.stderr = None
    return right


def prints_no_utf_8(_folder: Path, right: Findings) -> Findings:
    os.write(1, b"caf\xe9 \x00\x1b[2J\n")
    os.write(2, b"caf\xe9\n")
    return right


def prints_a_book(_folder: Path, right: Findings) -> Findings:
    for _ in range(1000):
        print("x" * 1000)  # noqa: T201 - the point of it
    return right


def writes_into_every_pipe(_folder: Path, right: Findings) -> Findings:
    for file in range(3, 256):
        with suppress(OSError):
            if str(Path(f"/proc/self/fd/{file}").readlink()).startswith(("pipe:", "socket:")):
                os.write(file, b'{"no": "event"}\n' * 2)
    return right


def tells_its_end_itself(folder: Path, right: Findings) -> Findings:
    """To the supervisor: nonsense from here, and a lie from a child."""
    run = folder.parents[1]
    path = run.parents[1] / "run" / "runs" / f"{run.name}.sock"
    for message in ({"action": "ended", "event": "{}"}, {"action": "ended"}, ["ended"], 5):
        _send(path, json.dumps(message).encode())
    _send(path, b"\xff\xfe")
    if os.fork() == 0:
        _send(path, json.dumps({"action": "lost", "reason": "a lie"}).encode())
        os._exit(0)
    os.wait()
    return right


def _send(path: Path, line: bytes) -> None:
    folder = os.open(path.parent, os.O_PATH)
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.connect(f"/proc/self/fd/{folder}/{path.name}")
        connection.sendall(line + b"\n")
        connection.recv(4096)
    os.close(folder)


def ignores_every_signal(_folder: Path, right: Findings) -> Findings:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        with suppress(OSError, ValueError):
            signal.signal(number, signal.SIG_IGN)
    return right


def blocks_every_signal(_folder: Path, right: Findings) -> Findings:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    return right


def goes_elsewhere(_folder: Path, right: Findings) -> Findings:
    os.chdir("/")
    return right


def goes_where_nothing_is(folder: Path, right: Findings) -> Findings:
    (folder / "gone").mkdir()
    os.chdir(folder / "gone")
    (folder / "gone").rmdir()
    return right


def lets_nobody_read(_folder: Path, right: Findings) -> Findings:
    os.umask(0o777)
    return right


def empties_the_environment(_folder: Path, right: Findings) -> Findings:
    os.environ.clear()
    return right


def tells_what_it_sees(folder: Path, right: Findings) -> Findings:
    """Of its environment, and that of a child."""
    child = subprocess.run([sys.executable, "-c", "import os; print(dict(os.environ))"],
                           capture_output=True, text=True, check=True)  # fmt: skip
    seen = f"{dict(os.environ)} {child.stdout} {Path('/proc/self/environ').read_text()}"
    (folder / "seen.txt").write_text(seen)
    return right


def allows_no_depth(_folder: Path, right: Findings) -> Findings:
    sys.setrecursionlimit(60)
    return right


def allows_no_more_files(_folder: Path, right: Findings) -> Findings:
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))
    return right


def leaves_its_session(_folder: Path, right: Findings) -> Findings:
    os.setsid()
    return right


def silences_the_log(_folder: Path, right: Findings) -> Findings:
    logging.disable(logging.CRITICAL)
    logging.getLogger().handlers.clear()
    return right


def kills_its_children(_folder: Path, right: Findings) -> Findings:
    """And anybody else's, by a handler that swallows what was meant for others."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    subprocess.Popen(["true"])  # noqa: S607 - any will do
    return right


def writes_into_other_runs(folder: Path, right: Findings) -> Findings:
    """Into all that are at work beside it."""
    for other in folder.parents[2].glob("*/partial/*"):
        with suppress(OSError):
            (other / "planted.txt").write_text("planted")
    return right


def forges_its_progress(folder: Path, right: Findings) -> Findings:
    (folder.parents[1] / "progress.json").write_text('{"ways": "half", "other": NaN}')
    return right


def locks_the_database(folder: Path, right: Findings) -> Findings:
    """In a process that it leaves behind."""
    database = folder.parents[3] / "dagster" / "history" / "runs.db"
    if database.exists() and os.fork() == 0:
        import sqlite3  # noqa: PLC0415 - of the child alone

        connection = sqlite3.connect(database, isolation_level=None)
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(1.0)
        os._exit(0)
    return right
