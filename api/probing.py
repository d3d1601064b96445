"""Asks `pipelines.probe`, in a process of its own, what a file is."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from api.errors import InternalServerError, InvalidRequestError

_REFUSED = 2
#: Probing loads the decoders anew each time; more at once would only slow each other down.
_AT_ONCE = 4
_CANNOT_READ = "Check that it plays in a video player, or convert it to MP4."


class Prober:
    def __init__(self, timeout: float) -> None:
        self._timeout = timeout
        self._turn = asyncio.Semaphore(_AT_ONCE)

    async def probe(self, path: Path, name: str) -> dict[str, Any]:
        """The file's facts. Raises InvalidRequestError, naming the defect."""
        async with self._turn:
            status, output, complaint = await self._run(path, name)
        if status == 0:
            return _without_path(json.loads(output))
        if status == _REFUSED and output:
            error = json.loads(output)["error"]
            raise InvalidRequestError(error["message"], hint=error["hint"], field="video")
        if status < 0:
            raise InvalidRequestError(
                "Decoding the file's first frame breaks the decoder.",
                hint=_CANNOT_READ,
                field="video",
            )
        last = complaint.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        raise InternalServerError(f"Probing media does not work: {last[:300]}")

    async def _run(self, path: Path, name: str) -> tuple[int, bytes, bytes]:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "pipelines.probe",
            str(path),
            f"--name={name}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(self._timeout):
                output, complaint = await process.communicate()
        except TimeoutError as error:
            raise InvalidRequestError(
                f"The file could not be read within {self._timeout:g} s.",
                hint=_CANNOT_READ,
                field="video",
            ) from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, output, complaint


def _without_path(facts: dict[str, Any]) -> dict[str, Any]:
    """The file is about to move."""
    return {name: fact for name, fact in facts.items() if name != "path"}
