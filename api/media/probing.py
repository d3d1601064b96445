"""Asks `pipelines.probe`, in a process of its own, what a file is."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from api.errors import InternalServerError, InvalidRequestError, ProbeUnavailableError
from contracts.child_environment import probe_environment

_REFUSED = 2
#: Probing loads the decoders anew each time; more at once would only slow each other down.
_AT_ONCE = 4
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


class Prober:
    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def probe(self, path: Path, name: str, descriptor: int | None = None) -> dict[str, Any]:
        """The facts of the file at `path`, or of the one that is open as `descriptor`.

        Raises InvalidRequestError, naming the defect, and ProbeUnavailableError if the probe was
        killed or took too long.
        """
        async with self._turn:
            status, output, complaint = await self._run(path, name, descriptor)
        if status == 0:
            return _without_path(json.loads(output))
        if status == _REFUSED and output:
            error = json.loads(output)["error"]
            raise InvalidRequestError(error["message"], hint=error["hint"], field="video")
        if -status in _OF_THE_FILE:
            raise InvalidRequestError(
                "Decoding the file's first frame breaks the decoder.",
                hint=_CANNOT_READ,
                field="video",
            )
        if status < 0:
            raise ProbeUnavailableError(
                f"The file could not be probed: the probe was killed by signal {-status}.",
                hint="Nothing is wrong with the file; submit it again.",
            )
        last = complaint.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        raise InternalServerError(f"Probing media does not work: {last[:300]}")

    async def _run(self, path: Path, name: str, descriptor: int | None) -> tuple[int, bytes, bytes]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pipelines.probe",
            str(path) if descriptor is None else f"/proc/self/fd/{descriptor}",
            f"--name={name}",
            pass_fds=() if descriptor is None else (descriptor,),
            env=probe_environment(os.environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._timeout):
                output, complaint = await process.communicate()
        except TimeoutError as error:
            raise ProbeUnavailableError(
                f"The file could not be probed within {self._timeout:g} s.",
                hint="Submit it again; if that does not help, convert it to MP4.",
            ) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, output, complaint


def _without_path(facts: dict[str, Any]) -> dict[str, Any]:
    """The file is about to move."""
    return {name: fact for name, fact in facts.items() if name != "path"}
