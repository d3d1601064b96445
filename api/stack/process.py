"""A part's process while it runs: started under a keeper, its output in its log."""

import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from api.stack.parts import Part
from contracts.project import PROJECT

#: What the keeper may take beyond the part's own grace to end every process of the part.
_KEEPER_SECONDS = 5.0


@dataclass(frozen=True)
class PartProcess:
    part: Part
    _keeper: asyncio.subprocess.Process

    async def wait(self) -> int:
        """The part's exit code, once no process of it is left."""
        return await self._keeper.wait()

    async def stop(self) -> None:
        """Ends the part and everything it started; returns when nothing of it is left."""
        with suppress(ProcessLookupError):
            self._keeper.terminate()
        try:
            async with asyncio.timeout(self.part.grace_seconds + _KEEPER_SECONDS):
                await self._keeper.wait()
        except TimeoutError:
            self._keeper.kill()  # the kernel kills the part with it
            await self._keeper.wait()


async def start(part: Part, environment: Mapping[str, str], log: Path) -> PartProcess:
    """In a session of its own: Ctrl-C in the terminal reaches the stack alone, which then stops
    its parts in order.
    """
    with log.open("ab") as output:
        keeper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "api.stack.keeper"),
            *(str(os.getpid()), str(part.grace_seconds), *part.command),
            cwd=PROJECT,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    return PartProcess(part, keeper)
