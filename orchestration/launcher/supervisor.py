"""Watches one run worker from start to end, and is the only one who says how its run ended.

interrupt -> grace -> SIGKILL to everything the worker ever started -> proof that its GPU memory
is back -> the run's last event.
"""

import itertools
import logging
import os
import select
import selectors
import signal
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from dagster import DagsterInstance, EventLogEntry

from contracts.home import Home
from orchestration.launcher import messages
from orchestration.launcher.breach import Breach
from orchestration.launcher.guard import Guard, guard
from orchestration.launcher.instances import Instances
from orchestration.launcher.lease import Lease, give_back
from orchestration.launcher.limits import Limits
from orchestration.launcher.memory_limit import MemoryLimits
from orchestration.launcher.oom import RecentKills
from orchestration.launcher.paths import run_socket
from orchestration.launcher.process_tree import ProcessTree
from orchestration.launcher.processes import (
    adopt_orphans,
    descendants,
    die_with_parent,
    kill_descendants,
    send_signal,
)
from orchestration.launcher.release import Release
from orchestration.launcher.reporter import Reporter
from orchestration.launcher.retry import retry
from orchestration.launcher.worker import execute, read_last_event
from orchestration.launcher.worker_end import Order, Resolution, WorkerEnd, decide
from orchestration.storage.disk_space import has_room
from pipelines.registry.devices import Inventory

logger = logging.getLogger("framegate.workers")

_KILL_SECONDS = 5.0
#: How long a canceller is kept waiting until the run says that it is being cancelled.
_TELL_SECONDS = 1.0
_ROOM_SECONDS = 0.5
_LONGEST_EVENT = 2**24


@dataclass
class Supervisor:
    """One run's supervisor; `server` is the process that forked it. `variables` are those of the
    environment that pipelines see besides the usual ones.
    """

    run_id: str
    home: Home
    server: int
    grace_seconds: float
    limits: Limits
    memory_limits: MemoryLimits
    lease: Lease | None
    inventory: Inventory
    instances: Instances
    variables: Sequence[str] = ()
    _worker: int = field(default=0, init=False)
    _order: Order = field(default=Order.NONE, init=False)
    _kill_at: float | None = field(default=None, init=False)
    _breach: Breach | None = field(default=None, init=False)
    _killed: bool = field(default=False, init=False)
    _last_event: EventLogEntry | None = field(default=None, init=False)
    _reason: str = field(default="", init=False)
    _process_tree: ProcessTree = field(init=False)
    _oom: RecentKills = field(default_factory=RecentKills, init=False)
    _telling: threading.Thread | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._process_tree = ProcessTree(self.inventory, self.lease.gpu if self.lease else None)

    def supervise(self) -> None:
        """Starts the worker, watches it, and reports; returns when all of it is gone."""
        adopt_orphans()
        started = time.monotonic()
        path = run_socket(self.home, self.run_id)
        with ExitStack() as stack:
            listener = stack.enter_context(messages.listen(path))
            stack.callback(Path.unlink, path, missing_ok=True)
            guarded = stack.enter_context(
                guard(self.home, self.run_id, self.limits, self.memory_limits, self.grace_seconds)
            )
            self._start_worker(listener)
            guarded.admit(self._worker)
            instance = stack.enter_context(self.instances.own)
            reporter = Reporter(instance, self.home, self.run_id)
            status = self._watch(listener, instance, guarded)
            is_told = self._last_event is not None
            breach = self._breach or guarded.memory_breach()
            end = WorkerEnd(status, is_told, self._oom.count(), self._reason, breach)
            serve = partial(self._serve, listener, instance)
            release = self._process_tree.clear(self.home, self.run_id, reporter, serve)
            give_back(self.home, self.run_id)
            resolution = self._tell_end(end, release, reporter, serve)
        logger.info(
            "a run worker has ended",
            extra={
                "resolution": resolution.name.lower(),
                "exit_code": os.waitstatus_to_exitcode(status),
                "duration_seconds": round(time.monotonic() - started, 3),
            },
        )

    def _start_worker(self, listener: socket.socket) -> None:
        """Forks the worker."""
        supervisor = os.getpid()
        self._worker = os.fork()
        if self._worker == 0:
            die_with_parent(supervisor)
            listener.close()
            execute(self.run_id, self.home, self.instances.worker, self.variables)
        self._process_tree.tree = frozenset({self._worker})

    def _watch(self, listener: socket.socket, instance: DagsterInstance, guarded: Guard) -> int:
        """Serves until the worker has ended or will not die; returns its wait status."""
        worker_end, server_end = os.pidfd_open(self._worker), os.pidfd_open(self.server)
        with selectors.DefaultSelector() as selector:
            for file in (listener, worker_end, server_end):
                selector.register(file, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _mask in selector.select(self._until_next(guarded))}
                if listener in ready:
                    self._answer(listener, instance)
                if server_end in ready:
                    selector.unregister(server_end)
                    self._stop()
                if worker_end in ready:
                    return os.waitpid(self._worker, 0)[1]
                if self._patience() == 0.0 and not self._kill():
                    return signal.SIGKILL
                self._oom.look_when_due()
                if self._order is Order.NONE and (breach := guarded.look()):
                    self._stop_for(breach)

    def _until_next(self, guarded: Guard) -> float:
        patience = self._patience()
        return guarded.pause() if patience is None else patience

    def _patience(self) -> float | None:
        """Seconds until something must be killed; None for as long as it takes."""
        return None if self._kill_at is None else max(0.0, self._kill_at - time.monotonic())

    def _answer(self, listener: socket.socket, instance: DagsterInstance) -> None:
        connection, _address = listener.accept()
        with connection:
            connection.settimeout(1.0)
            try:
                request = messages.receive(connection, _LONGEST_EVENT)
                match request.get("action"):
                    case "cancel":
                        self._cancel(instance)
                    case "stop":
                        self._stop()
                    case "ended" if messages.sender(connection) == self._worker:
                        self._last_event = read_last_event(self.run_id, request)
                    case "lost" if messages.sender(connection) == self._worker:
                        self._reason = str(request.get("reason"))
                messages.send(connection, {"worker": self._worker, "tree": descendants()})
            except (OSError, ValueError):
                return  # the caller hung up; its order stands
            except Exception:
                logger.exception("an order was not answered")

    def _serve(self, listener: socket.socket, instance: DagsterInstance, seconds: float) -> None:
        """Answers requests meanwhile."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([listener], [], [], left)[0]:
                self._answer(listener, instance)

    def _cancel(self, instance: DagsterInstance) -> None:
        if self._order is not Order.NONE:
            return
        self._order = Order.CANCEL
        self._interrupt(self.grace_seconds)
        if not has_room(self.home.root):
            return  # what is running can be ended all the same
        # A database that is away must not keep the worker from being killed in time.
        self._telling = threading.Thread(target=self._tell_canceling, args=[instance], daemon=True)
        self._telling.start()
        self._telling.join(_TELL_SECONDS)

    def _tell_canceling(self, instance: DagsterInstance) -> None:
        try:
            if run := instance.get_run_by_id(self.run_id):
                instance.report_run_canceling(run)
        except Exception:
            logger.exception("could not record that the run is being cancelled")

    def _stop_for(self, breach: Breach) -> None:
        self._order, self._breach = Order.LIMIT, breach
        self._interrupt(breach.grace_seconds)

    def _interrupt(self, grace_seconds: float) -> None:
        """What has not ended after the grace is killed."""
        self._kill_at = time.monotonic() + grace_seconds
        self._process_tree.update()
        send_signal(self._worker, signal.SIGINT)

    def _stop(self) -> None:
        """The stack stops, or the server is gone: the work is dropped, and the run kept."""
        if self._order is Order.NONE:
            self._order = Order.REQUEUE
        self._kill_at = time.monotonic()

    def _kill(self) -> bool:
        """SIGKILL to the whole tree, once; False when that did not help in time."""
        if self._killed:
            return False
        self._process_tree.update()
        kill_descendants()
        self._killed = True
        self._kill_at = time.monotonic() + _KILL_SECONDS
        return True

    def _tell_end(
        self,
        end: WorkerEnd,
        release: Release | None,
        reporter: Reporter,
        serve: Callable[[float], None],
    ) -> Resolution:
        """On a full disk, or with the database away, it is told later; what cannot be told at all
        ends the run with the reason.
        """
        while not has_room(self.home.root):
            serve(_ROOM_SECONDS)
        tries = itertools.count()

        def say() -> Resolution:
            if self._telling:
                self._telling.join()
            resolution = decide(self._order, end)
            if next(tries) and reporter.conclude():
                return resolution  # the first try had come as far as the event
            killed = resolution is not Resolution.AS_REPORTED
            reporter.report_end(resolution, end, self._last_event, release if killed else None)
            return resolution

        try:
            return retry(say, pause=serve)
        except Exception as error:
            logger.exception("the end of the run could not be recorded")
            lost = partial(reporter.report_untold, type(error).__name__, str(error))
            retry(lost, pause=serve)
            return Resolution.FAILED
