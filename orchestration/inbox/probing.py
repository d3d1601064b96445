"""Asks `pipelines.probe`, in a process of its own, what a file is: it is a stranger's."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from contracts.child_environment import probe_environment
from pipelines.errors import MediaError

_REFUSED = 2
#: Longer than the probe's own limit of processor time: what takes so long waits for a disk.
_SECONDS = 180.0
#: What a file does to its decoder. Whatever else kills the probe is not the file's fault.
_OF_THE_FILE = frozenset(
    {
        signal.SIGSEGV,
        signal.SIGABRT,
        signal.SIGBUS,
        signal.SIGILL,
        signal.SIGFPE,
        signal.SIGXCPU,
    }
)
_CANNOT_READ = "Check that it plays in a video player, or convert it to MP4."


class ProbingError(Exception):
    """Nothing is known of the file: the probe itself does not work."""


class ProbeCutOffError(ProbingError):
    """The probe was killed, or took too long for want of a disk: it may work another time."""


def probe_apart(path: Path, name: str) -> dict[str, Any]:
    """The file's facts, but for its path. Raises MediaError, naming the defect, and
    ProbingError.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and program
            [sys.executable, "-m", "pipelines.probe", path, f"--name={name}"],
            env=probe_environment(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProbeCutOffError(f"The file could not be read within {_SECONDS:.0f} s.") from error
    if done.returncode == 0:
        facts: dict[str, Any] = json.loads(done.stdout)
        del facts["path"]  # the file is about to get another one
        return facts
    if done.returncode == _REFUSED and done.stdout:
        refusal = json.loads(done.stdout)["error"]
        raise MediaError(refusal["message"], refusal["hint"])
    if -done.returncode in _OF_THE_FILE:
        raise MediaError("Decoding the file's first frame breaks the decoder.", _CANNOT_READ)
    if done.returncode < 0:
        raise ProbeCutOffError(f"Probing media was killed by signal {-done.returncode}.")
    last = done.stderr.decode(errors="replace").strip().rsplit("\n", 1)[-1]
    raise ProbingError(f"Probing media does not work: {last[:300]}")
