"""The stack under the soak: started, watched, killed in part or whole, and started again."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread

import psutil

from api.cli.errors import CommandError
from api.cli.stack_process import StackProcess
from api.stack import events
from api.stack.ports import is_free
from contracts.home import Home
from tests.deep.soak import survey
from tests.deep.soak.history import History, Leases, Sample, StackTold, Stopped
from tests.ports import free_port

STOP_SECONDS = 90

#: What runs each long-lived part, as its keeper was told.
PARTS = {
    "API": "-m api",
    "webserver": "-m orchestration.webserver",
    "daemon": "-m orchestration.launcher.daemon",
    "code server": "-m orchestration.slower_polling dagster code-server",
    "fork server": "-m orchestration.launcher.fork_server",
}

Clock = Callable[[], float]


@dataclass
class SoakedStack:
    """`start_up` starts `framegate up --json`; the port stays the same over restarts."""

    home: Path
    start_up: Callable[..., subprocess.Popen[str]]
    settings: dict[str, str]
    history: History
    clock: Clock
    port: int = field(default_factory=free_port)
    key: str = field(default="", init=False)
    #: The stack gave itself up: nothing can be expected of it any more.
    gave_up: Event = field(default_factory=Event, init=False)
    _up: subprocess.Popen[str] | None = field(default=None, init=False)
    _listener: Thread = field(default_factory=Thread, init=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns when the stack is ready. Raises CommandError when it does not become so."""
        self._up = self.start_up(self.home, port=self.port, settings=self.settings)
        stack = StackProcess(self._up.stdout or ())
        try:
            stack.until_ready(self._told)
        except CommandError as error:
            self._failed(error)
            self.reap()
            raise
        self._listener = Thread(target=self._listen, args=(stack.tell(),))
        self._listener.start()

    def processes(self) -> list[psutil.Process]:
        """Everything that is of this stack and this home, however it came about."""
        return [process for process in psutil.process_iter() if self._is_ours(process)]

    def parts(self) -> dict[str, psutil.Process]:
        """The parts themselves: neither their keepers nor what was forked from them."""
        found: dict[str, psutil.Process] = {}
        with suppress(psutil.Error):
            for keeper in psutil.Process(self.pid).children():
                for child in keeper.children():
                    line = " ".join(child.cmdline())
                    found |= {
                        part: child
                        for part, command in PARTS.items()
                        if f"{command} " in f"{line} "
                    }
        return found

    def supervisors(self) -> list[psutil.Process]:
        with suppress(psutil.Error, KeyError):
            return self.parts()["fork server"].children()
        return []

    def workers(self) -> list[psutil.Process]:
        found: list[psutil.Process] = []
        for supervisor in self.supervisors():
            with suppress(psutil.Error):
                found += supervisor.children()
        return found

    @property
    def pid(self) -> int:
        return self._up.pid if self._up else 0

    def kill_all(self) -> list[int]:
        """SIGKILL to every process at the same moment; returns whom it hit."""
        hit = self.processes()
        for number in ("suspend", "kill"):  # whoever stands still cannot start or mend anything
            for process in hit:
                with suppress(psutil.Error):
                    getattr(process, number)()
        while left := self.processes():
            for process in left:
                with suppress(psutil.Error):
                    process.kill()
            time.sleep(0.05)
        self.reap()
        return [process.pid for process in hit]

    def reap(self) -> int:
        """Once `framegate up` has been told to end, or killed: its parts end by themselves."""
        if self._up is None:
            return 0
        code = self._up.wait(STOP_SECONDS)
        if self._listener.ident:
            self._listener.join()
        if self._up.stdout:
            self._up.stdout.close()
        return code

    def stop(self) -> None:
        """As SIGTERM does it; notes what is left then."""
        if self._up is None:
            return
        self._up.terminate()
        code = self.reap()
        left = [" ".join(process.cmdline())[:200] for process in self.processes()]
        ports = [] if is_free("127.0.0.1", self.port) else [self.port]
        self.history.add(Stopped(code, left, ports))

    def sample(self) -> None:
        self.history.add(Leases(self.clock(), survey.leased(Home(self.home))))
        for part, process in self.parts().items():
            with suppress(psutil.Error):
                memory = process.memory_info().rss
                self.history.add(Sample(self.clock(), part, process.pid, memory, process.num_fds()))

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            named = process.environ().get("FRAMEGATE_HOME")
            return process.pid == self.pid or named == str(self.home)
        return False

    def _listen(self, told: Iterator[events.Event]) -> None:
        """Reads on, so that the stack never waits for a reader."""
        try:
            for event in told:
                self._told(event)
        except CommandError as error:
            self._failed(error)
        except ValueError:
            return  # killed in the middle of a line

    def _told(self, event: events.Event) -> None:
        if isinstance(event, events.AdminKeyCreated):
            self.key = event.key
            return
        self.history.add(StackTold(self.clock(), type(event).__name__, str(event)))

    def _failed(self, error: CommandError) -> None:
        self.history.add(StackTold(self.clock(), "failed", f"{error} {error.hint or ''}"))
        self.gave_up.set()
