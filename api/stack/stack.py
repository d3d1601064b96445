"""The stack while it runs: starts each part as soon as what it uses is ready, watches it, starts
it again when it ended by itself, and stops all in order.
"""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from api.stack import logs, process
from api.stack.errors import StackError
from api.stack.events import PartReady, PartRestarting, Report, StackStopped, StackStopping
from api.stack.parts import Part
from api.stack.process import PartProcess
from api.stack.restart import WINDOW_SECONDS, recent_exits, restart_delay

_READY_SECONDS = 120.0
_POLL_SECONDS = 0.1
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stack:
    def __init__(
        self,
        parts: Sequence[Part],
        environment: Mapping[str, str],
        log_folder: Path,
        report: Report,
    ) -> None:
        self._parts = parts
        self._environment = environment
        self._log_folder = log_folder
        self._report = report
        self._processes: dict[str, PartProcess] = {}
        self._ready = {part.name: asyncio.Event() for part in parts}

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Until SIGINT, SIGTERM or SIGHUP; calls `on_ready` once all parts are ready.

        Raises StackError, after everything is stopped, when a part cannot be kept alive.
        """
        stop = asyncio.Event()
        with _set_by_signals(stop):
            kept = [asyncio.create_task(self._keep(part)) for part in self._parts]
            stopping = asyncio.create_task(stop.wait())
            announcing = asyncio.create_task(self._announce(on_ready))
            await asyncio.wait([*kept, stopping], return_when=asyncio.FIRST_COMPLETED)
            failures = [task.exception() for task in kept if task.done()]
            await _cancel(*kept, stopping, announcing)
            await self._stop()
        for failure in failures:
            if failure:
                raise failure

    async def _announce(self, on_ready: Callable[[], None]) -> None:
        await self._until_ready(*self._ready)
        on_ready()

    async def _keep(self, part: Part) -> None:
        """Keeps one part alive; ends only by raising, StackError when that is not possible."""
        await self._until_ready(*part.waits_for)
        logs.rotate(self._log(part))
        exits: list[float] = []
        while True:
            code = await self._run_once(part)
            exits.append(time.monotonic())
            delay = restart_delay(exits, was_ready=self._ready[part.name].is_set())
            if delay is None:
                raise self._failure(part, f"ended {_describe(code)} {_occasion(exits)}")
            self._report(PartRestarting(part.name, _describe(code), delay))
            await asyncio.sleep(delay)

    async def _run_once(self, part: Part) -> int:
        """Starts the part, says when it is ready, and returns its exit code."""
        started_at = time.monotonic()
        running = await process.start(part, self._environment, self._log(part))
        self._processes[part.name] = running
        ended = asyncio.create_task(running.wait())
        ready = asyncio.create_task(self._poll_ready(part))
        try:
            await asyncio.wait([ended, ready], return_when=asyncio.FIRST_COMPLETED)
            if not ended.done():
                ready.result()
                self._report(PartReady(part.name, time.monotonic() - started_at, part.address))
                self._ready[part.name].set()
            return await ended
        finally:
            await _cancel(ended, ready)

    async def _poll_ready(self, part: Part) -> None:
        deadline = time.monotonic() + _READY_SECONDS
        while missing := await part.ready():
            if time.monotonic() > deadline:
                raise self._failure(part, f"is not ready after {_READY_SECONDS:.0f} s: {missing}")
            await asyncio.sleep(_POLL_SECONDS)

    async def _until_ready(self, *names: str) -> None:
        for name in names:
            await self._ready[name].wait()

    async def _stop(self) -> None:
        """Each part once those that use it are stopped."""
        started_at = time.monotonic()
        self._report(StackStopping())
        stopped = {part.name: asyncio.Event() for part in self._parts}

        async def stop(part: Part) -> None:
            for user in self._parts:
                if part.name in user.uses:
                    await stopped[user.name].wait()
            if running := self._processes.get(part.name):
                await running.stop()
            stopped[part.name].set()

        await asyncio.gather(*(stop(part) for part in self._parts))
        self._report(StackStopped(time.monotonic() - started_at))

    def _failure(self, part: Part, what: str) -> StackError:
        log = self._log(part)
        return StackError(f"The {part.name} {what}.", hint=f"Its log is {log}.", log=logs.tail(log))

    def _log(self, part: Part) -> Path:
        return self._log_folder / f"{part.name.lower().replace(' ', '-')}.log"


@contextmanager
def _set_by_signals(stop: asyncio.Event) -> Iterator[None]:
    """One signal asks the stack to stop; more of them change nothing: stopping takes seconds."""
    loop = asyncio.get_running_loop()
    for number in _STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in _STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _cancel(*tasks: asyncio.Task[None] | asyncio.Task[int] | asyncio.Task[bool]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _describe(code: int) -> str:
    """By the shell's own convention for "killed by a signal", where the number is one of a signal:
    a part may exit with any code up to 255.
    """
    try:
        return f"by {signal.Signals(code - 128).name}"
    except ValueError:
        return f"with exit code {code}"


def _occasion(exits: Sequence[float]) -> str:
    times = recent_exits(exits)
    return f"{times} times within {WINDOW_SECONDS:.0f} s" if times > 1 else "before it was ready"
