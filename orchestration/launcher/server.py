"""The warm server: imports everything once, then forks a supervisor with its worker per run.

It stays single-threaded and opens no database, no CUDA context and no inference session: all of
that happens after the fork. When code of the project changes on disk, it starts over, in place.
"""

import contextlib
import gc
import json
import logging
import os
import selectors
import signal
import socket
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import psutil

from contracts.home import Home
from orchestration.launcher import messages
from orchestration.launcher.instance import open_instance
from orchestration.launcher.lease import Lease, acquire, write
from orchestration.launcher.paths import queue_socket, run_socket
from orchestration.launcher.processes import adopt_orphans, end_descendants, reap
from orchestration.launcher.recovery import UNDER_WAY, recover
from orchestration.launcher.rehearsal import rehearse
from orchestration.launcher.report import Reporter
from orchestration.launcher.sources import Sources, load_error
from orchestration.launcher.supervisor import Supervisor
from orchestration.settings import Settings
from pipelines.registry.catalog import load_catalog
from pipelines.registry.devices import Inventory

DEFINITIONS = "orchestration.definitions"

_SUPERVISORS = "FRAMEGATE_SUPERVISORS"
_STOP_SECONDS = 8.0

logger = logging.getLogger("framegate.workers")


@dataclass
class Server:
    """`supervisors` are the runs under way, by the process id of who supervises them."""

    home: Home
    inventory: Inventory
    sources: Sources
    supervisors: dict[int, str]
    _stopping: bool = field(default=False, init=False)

    def serve(self) -> None:
        """Answers launch requests until SIGTERM or SIGINT; then no run worker is left."""
        adopt_orphans()
        wakeup = self._wake_on_signals()
        path = self.home.workers_socket
        with messages.listen(path) as listener, selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(wakeup, selectors.EVENT_READ)
            self._mourn()  # whoever ended while the server started over
            while not self._stopping:
                ready = {key.fileobj for key, _mask in selector.select()}
                if wakeup in ready:
                    wakeup.recv(4096)
                    self._mourn()
                if listener in ready:
                    self._answer(listener)
        path.unlink(missing_ok=True)
        self._stop_runs()

    def _wake_on_signals(self) -> socket.socket:
        reader, writer = socket.socketpair()
        for end in (reader, writer):
            end.settimeout(0.0)
        signal.set_wakeup_fd(writer.detach())
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: setattr(self, "_stopping", True))
        return reader

    def _answer(self, listener: socket.socket) -> None:
        connection, _address = listener.accept()
        with connection:
            connection.settimeout(1.0)
            with contextlib.suppress(OSError, ValueError):
                request = messages.receive(connection)
                if request.get("action") != "launch":
                    messages.send(connection, {"runs": sorted(self.supervisors.values())})
                elif self.sources.are_current:
                    messages.send(connection, {"pid": self._launch(request, listener)})
                elif error := load_error(DEFINITIONS):
                    messages.send(connection, {"error": error})
                else:
                    messages.send(connection, {"restarting": True})
                    self._start_over()

    def _launch(self, request: dict[str, Any], listener: socket.socket) -> int:
        """Forks the run's supervisor; the lease is held from here on, without a gap."""
        lease = Lease(request["run_id"], **request["lease"]) if request.get("lease") else None
        lease_file = acquire(self.home, lease) if lease else None
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            listener.close()
            self._supervise(request, server, lease, lease_file)
        if lease_file is not None:
            os.close(lease_file)
        self.supervisors[pid] = request["run_id"]
        return pid

    def _supervise(
        self, request: dict[str, Any], server: int, lease: Lease | None, lease_file: int | None
    ) -> NoReturn:
        status = 1
        try:
            _forget_signals()
            os.setsid()
            _print_to(self.home.worker_log(request["run_id"]))
            if lease and lease_file is not None:
                lease = replace(lease, pid=os.getpid())
                write(lease_file, lease)
            _choose_visible_devices(lease, self.inventory)
            Supervisor(
                run_id=request["run_id"],
                home=self.home,
                server=server,
                grace_seconds=request["grace_seconds"],
                lease=lease,
                inventory=self.inventory,
            ).supervise()
            status = 0
        except BaseException:
            logger.exception("supervisor of run %s", request["run_id"])
        finally:
            os._exit(status)

    def _mourn(self) -> None:
        """Reaps what ended; a supervisor that did not end well is spoken for."""
        for pid, status in reap().items():
            run_id = self.supervisors.pop(pid, None)
            if run_id is None:
                continue
            if status != 0:
                self._kill_orphans()
                self._report_lost(run_id)
            messages.nudge(queue_socket(self.home))

    def _kill_orphans(self) -> None:
        """What a dead supervisor leaves behind has become ours, and is nobody's."""
        for child in psutil.Process().children():
            if child.pid not in self.supervisors:
                for process in [child, *child.children(recursive=True)]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.kill()

    def _report_lost(self, run_id: str) -> None:
        """Says so on the run, from a process of its own: the server never opens a database."""
        pid = os.fork()
        if pid != 0:
            self.supervisors[pid] = run_id
            return
        try:
            _forget_signals()
            with open_instance(self.home.dagster) as instance:
                Reporter(instance, self.home, run_id).report_lost()
            run_socket(self.home, run_id).unlink(missing_ok=True)
        finally:
            os._exit(0)

    def _stop_runs(self) -> None:
        for run_id in self.supervisors.values():
            with contextlib.suppress(messages.NobodyListensError):
                messages.ask(run_socket(self.home, run_id), {"action": "stop"}, timeout=2.0)
        for pid in list(self.supervisors):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
                psutil.Process(pid).wait(_STOP_SECONDS)
        end_descendants(_STOP_SECONDS)

    def _start_over(self) -> NoReturn:
        """The same process with fresh code; its supervisors stay its children."""
        signal.set_wakeup_fd(-1)
        environment = {**os.environ, _SUPERVISORS: json.dumps(self.supervisors)}
        os.execve(sys.executable, [sys.executable, "-m", __spec__.name], environment)  # noqa: S606


def preload() -> None:
    """Imports what runs need and loads weights, so that every worker starts with all of it."""
    load_catalog()
    __import__(DEFINITIONS)
    for card in load_catalog().cards.values():
        try:
            card.load_annotate()
            if warm := card.load_warm():
                warm()
        except Exception:  # a run of this pipeline will say it again, on the run
            logger.exception("cannot preload %s", card.name)
    rehearse()
    gc.collect()
    gc.freeze()  # keeps the collector from touching, and so copying, shared pages


def recover_runs(home: Home) -> None:
    """Mends what an earlier server left behind, in a process of its own."""
    pid = os.fork()
    if pid == 0:
        try:
            with open_instance(home.dagster) as instance:
                recover(instance, home, UNDER_WAY)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


def _print_to(log: Path) -> None:
    """From here on, everything that this process and its children print goes to the file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)


def _choose_visible_devices(lease: Lease | None, inventory: Inventory) -> None:
    """A run sees the device that it leased, and no other."""
    if lease:
        os.environ["CUDA_VISIBLE_DEVICES"] = lease.uuid
    elif inventory.devices():
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    supervisors = json.loads(os.environ.pop(_SUPERVISORS, "{}"))
    settings = Settings()
    preload()
    recover_runs(settings.folders)
    Server(
        home=settings.folders,
        inventory=settings.load_inventory(),
        sources=Sources.loaded(),
        supervisors={int(pid): run_id for pid, run_id in supervisors.items()},
    ).serve()


if __name__ == "__main__":
    main()
