"""The fork server: imports everything once, then forks a supervisor with its worker per run.

It stays single-threaded and holds no connection to a database, no CUDA context and no inference
session: all of that happens after the fork. When code of the project changes on disk, it starts
over, in place.
"""

import contextlib
import json
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NoReturn

import psutil
from dagster import DagsterInstance

from contracts import logs
from contracts.home import Home
from orchestration.launcher import messages
from orchestration.launcher.child import become_run, in_child
from orchestration.launcher.instances import Instances, open_instances
from orchestration.launcher.lease import Lease, acquire, is_leased, write
from orchestration.launcher.limits import Limits
from orchestration.launcher.memory_limit import MemoryLimits
from orchestration.launcher.paths import queue_socket, run_socket, run_sockets
from orchestration.launcher.preload import preload
from orchestration.launcher.processes import adopt_orphans, end_descendants, reap
from orchestration.launcher.recovery import UNDER_WAY, recover
from orchestration.launcher.reporter import Reporter
from orchestration.launcher.retry import retry
from orchestration.launcher.sources import Sources, load_error
from orchestration.launcher.supervisor import Supervisor
from orchestration.settings import Settings
from orchestration.storage.disk_space import await_room
from pipelines.registry.devices import Inventory

DEFINITIONS = "orchestration.definitions"

_SUPERVISORS = "FRAMEGATE_SUPERVISORS"
_STOP_SECONDS = 8.0
_LEASE_SECONDS = 0.05

logger = logging.getLogger("framegate.workers")


@dataclass
class ForkServer:
    """`supervisors` are the runs under way, by the process id of who supervises them.
    `pipeline_variables` are those of the environment that pipelines see besides the usual ones.
    """

    home: Home
    inventory: Inventory
    sources: Sources
    instances: Instances
    memory_limits: MemoryLimits
    supervisors: dict[int, str]
    pipeline_variables: Sequence[str] = ()
    _stopping: bool = field(default=False, init=False)
    #: Those of `supervisors` that only tell how a run ended whose supervisor was lost.
    _reporters: set[int] = field(default_factory=set, init=False)
    #: What a forked process closes at once.
    _sockets: list[socket.socket] = field(default_factory=list, init=False)

    def serve(self) -> None:
        """Answers launch requests until SIGTERM or SIGINT; then no run worker is left."""
        adopt_orphans()
        wakeup = self._wake_on_signals()
        path = self.home.fork_server_socket
        with messages.listen(path) as listener, selectors.DefaultSelector() as selector:
            selector.register(listener, selectors.EVENT_READ)
            selector.register(wakeup, selectors.EVENT_READ)
            self._sockets = [listener, wakeup]
            self._reap()  # those that ended while the server started over
            while not self._stopping:
                ready = {key.fileobj for key, _mask in selector.select()}
                if wakeup in ready:
                    wakeup.recv(4096)
                    self._reap()
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
        """One question; whatever is wrong with it, the others are answered all the same."""
        connection, _address = listener.accept()
        with connection:
            connection.settimeout(1.0)
            try:
                self._serve(messages.receive(connection), connection)
            except (OSError, ValueError) as error:  # whoever only looks whether we are there, too
                logger.debug("a request was not answered", extra={"error": str(error)})
            except Exception:
                logger.exception("a request was not answered")

    def _serve(self, request: dict[str, Any], connection: socket.socket) -> None:
        if request.get("action") != "launch":
            messages.send(connection, {"runs": sorted(self.supervisors.values())})
        elif self.sources.are_current:
            messages.send(connection, self._launch(request, connection))
        elif error := load_error(DEFINITIONS):
            messages.send(connection, {"error": error})
        else:
            messages.send(connection, {"restarting": True})
            self._start_over()

    def _launch(self, request: dict[str, Any], connection: socket.socket) -> dict[str, Any]:
        """Forks the run's supervisor; the lease is held from here on, without a gap.

        What keeps a run from being launched now is "not_yet": it stays in the queue.
        """
        run_id = request["run_id"]
        if run_id in self.supervisors.values():
            return {"not_yet": "The end of the run's last attempt has not been recorded yet."}
        lease = Lease(run_id, **request["lease"]) if request.get("lease") else None
        server = os.getpid()
        lease_file = None
        try:
            lease_file = acquire(self.home, lease) if lease else None
            pid = os.fork()
        except OSError as error:  # no more processes, no memory, the last attempt's lease
            return {"not_yet": f"The run worker cannot be started: {error}"}
        else:
            if pid == 0:
                self._sockets.append(connection)
                self._supervise(request, server, lease, lease_file)
        finally:
            if lease_file is not None:
                os.close(lease_file)
        self.supervisors[pid] = run_id
        return {"pid": pid}

    def _supervise(
        self, request: dict[str, Any], server: int, lease: Lease | None, lease_file: int | None
    ) -> NoReturn:
        status = 1
        try:
            for file in self._sockets:
                file.close()
            with logs.log_context(**request["log_fields"]):
                become_run(self.home.worker_log(request["run_id"]), lease)
                if lease and lease_file is not None:
                    lease = replace(lease, pid=os.getpid())
                    write(lease_file, lease)
                Supervisor(
                    run_id=request["run_id"],
                    home=self.home,
                    server=server,
                    grace_seconds=request["grace_seconds"],
                    limits=Limits.from_message(request["limits"]),
                    memory_limits=self.memory_limits,
                    lease=lease,
                    inventory=self.inventory,
                    instances=self.instances,
                    variables=self.pipeline_variables,
                ).supervise()
            status = 0
        except BaseException:
            logger.exception("supervisor of run %s", request["run_id"])
        finally:
            os._exit(status)

    def _reap(self) -> None:
        """Reaps processes that ended, and reports runs whose supervisor did not end well.

        A process that reports for a supervisor is not replaced: the next one would fail likewise.
        Dagster's run monitoring then finds a run that nobody supervises, and ends it.
        """
        for pid, status in reap().items():
            run_id = self.supervisors.pop(pid, None)
            if run_id is None or status != 0:
                self._kill_orphans()
            if run_id is not None:
                if status != 0 and pid not in self._reporters:
                    self._report_lost(run_id)
                self._reporters.discard(pid)
                messages.nudge(queue_socket(self.home))

    def _kill_orphans(self) -> None:
        """What a dead supervisor leaves behind has become ours, and is nobody's.

        An orphan that ends may leave orphans in turn: this is called for each that was reaped.
        """
        for child in psutil.Process().children():
            if child.pid not in self.supervisors:
                with contextlib.suppress(psutil.Error):
                    for process in [child, *child.children(recursive=True)]:
                        with contextlib.suppress(psutil.Error):
                            process.kill()

    def _report_lost(self, run_id: str) -> None:
        """Says so on the run, from a process of its own: the server never opens a database."""

        def report() -> None:
            run_socket(self.home, run_id).unlink(missing_ok=True)
            while is_leased(self.home, run_id):  # by what the supervisor left behind
                time.sleep(_LEASE_SECONDS)
            self.memory_limits.remove(run_id)
            await_room(self.home.root)
            retry(Reporter(self.instances.own, self.home, run_id).report_lost)

        pid = in_child(report, self._sockets)
        self._reporters.add(pid)
        self.supervisors[pid] = run_id

    def _stop_runs(self) -> None:
        for run_id in self.supervisors.values():
            with contextlib.suppress(messages.NobodyListensError):
                messages.ask(run_socket(self.home, run_id), {"action": "stop"}, timeout=2.0)
        for pid in list(self.supervisors):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
                psutil.Process(pid).wait(_STOP_SECONDS)
        end_descendants(_STOP_SECONDS)
        self.memory_limits.close()

    def _start_over(self) -> NoReturn:
        """The same process with fresh code; its supervisors stay its children."""
        environment = {**os.environ, _SUPERVISORS: json.dumps(self.supervisors)}
        os.execve(sys.executable, [sys.executable, "-m", __spec__.name], environment)  # noqa: S606


def recover_runs(instance: DagsterInstance, home: Home, inherited: Collection[str]) -> None:
    """Reconciles the runs that an earlier server left behind."""
    messages.remove_abandoned(run_sockets(home))
    recover(instance, home, UNDER_WAY, spoken_for=inherited)


def main() -> None:
    settings = Settings()
    # A descriptor of its own: supervisors go on logging here when their output goes elsewhere.
    own_stderr = os.fdopen(os.dup(sys.stderr.fileno()), "w", buffering=1)
    logs.configure(settings.log_format, settings.log_level, own_stderr)
    supervisors: dict[str, str] = json.loads(os.environ.pop(_SUPERVISORS, "{}"))
    preload(DEFINITIONS)
    instances = open_instances(settings.folders.dagster)
    mend = partial(recover_runs, instances.own, settings.folders, list(supervisors.values()))
    os.waitpid(in_child(mend), 0)
    ForkServer(
        home=settings.folders,
        inventory=settings.load_inventory(),
        sources=Sources.loaded(settings.folders.presets),
        instances=instances,
        memory_limits=MemoryLimits.prepare(settings.folders, list(supervisors.values())),
        supervisors={int(pid): run_id for pid, run_id in supervisors.items()},
        pipeline_variables=settings.pipeline_environment,
    ).serve()


if __name__ == "__main__":
    main()
