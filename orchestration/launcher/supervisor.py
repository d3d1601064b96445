"""Watches one run worker from start to end, and is the only one who says how its run ended.

interrupt -> grace -> SIGKILL to everything the worker ever started -> proof that its GPU memory
is back -> the run's last event.
"""

import logging
import os
import select
import selectors
import signal
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from dagster import DagsterInstance

from contracts.home import Home
from orchestration.disk_space import has_room
from orchestration.launcher import messages
from orchestration.launcher.instance import Instances
from orchestration.launcher.lease import Lease, give_back
from orchestration.launcher.oom import oom_kills
from orchestration.launcher.outcome import Order, WorkerEnd, decide
from orchestration.launcher.paths import run_socket
from orchestration.launcher.processes import (
    adopt_orphans,
    descendants,
    die_with_parent,
    end_descendants,
    kill_descendants,
    send_signal,
)
from orchestration.launcher.release import (
    Release,
    held_bytes,
    put_into_service,
    take_out_of_service,
    wait_for_release,
)
from orchestration.launcher.report import Reporter
from orchestration.launcher.worker import execute
from pipelines.registry.devices import Inventory

logger = logging.getLogger("framegate.workers")

_KILL_SECONDS = 5.0
_RELEASE_SECONDS = 10.0
_STUCK_LOOK_SECONDS = 1.0
_ROOM_SECONDS = 0.5
_PIPE_BYTES = 65536


@dataclass
class Supervisor:
    """One run's supervisor; `server` is the process that forked it."""

    run_id: str
    home: Home
    server: int
    grace_seconds: float
    lease: Lease | None
    inventory: Inventory
    instances: Instances
    _worker: int = field(default=0, init=False)
    _order: Order = field(default=Order.NONE, init=False)
    _kill_at: float | None = field(default=None, init=False)
    _killed: bool = field(default=False, init=False)
    _last_event: bytes = field(default=b"", init=False)
    _tree: frozenset[int] = field(default=frozenset(), init=False)
    _held: int = field(default=0, init=False)

    def supervise(self) -> None:
        """Starts the worker, watches it, and reports; returns when all of it is gone."""
        adopt_orphans()
        started = time.monotonic()
        kills_before = oom_kills()
        path = run_socket(self.home, self.run_id)
        with ExitStack() as stack:
            listener = stack.enter_context(messages.listen(path))
            stack.callback(Path.unlink, path, missing_ok=True)
            events = self._start_worker(listener)
            instance = stack.enter_context(self.instances.own)
            reporter = Reporter(instance, self.home, self.run_id)
            status = self._watch(events, listener, instance)
            release = self._clear_up(reporter)
            give_back(self.home, self.run_id)
            self._await_room(listener, instance)
            end = WorkerEnd(status, bool(self._last_event), oom_kills() - kills_before)
            verdict = decide(self._order, end)
            reporter.report_end(verdict, end, self._last_event, release)
        logger.info(
            "a run worker has ended",
            extra={
                "verdict": verdict.name.lower(),
                "exit_code": os.waitstatus_to_exitcode(status),
                "duration_seconds": round(time.monotonic() - started, 3),
            },
        )

    def _start_worker(self, listener: socket.socket) -> int:
        """Forks the worker; returns where it hands over the run's last event."""
        reader, writer = os.pipe()
        supervisor = os.getpid()
        self._worker = os.fork()
        if self._worker == 0:
            die_with_parent(supervisor)
            listener.close()
            os.close(reader)
            execute(self.run_id, self.home, self.instances.worker, writer)
        os.close(writer)
        os.set_blocking(reader, False)
        return reader

    def _watch(self, events: int, listener: socket.socket, instance: DagsterInstance) -> int:
        """Serves until the worker has ended or will not die; returns its wait status."""
        worker_end, server_end = os.pidfd_open(self._worker), os.pidfd_open(self.server)
        with selectors.DefaultSelector() as selector:
            for file in (events, listener, worker_end, server_end):
                selector.register(file, selectors.EVENT_READ)
            while True:
                ready = {key.fileobj for key, _mask in selector.select(self._patience())}
                if events in ready and not self._read_last_event(events):
                    selector.unregister(events)
                if listener in ready:
                    self._answer(listener, instance)
                if server_end in ready:
                    selector.unregister(server_end)
                    self._stop()
                if worker_end in ready:
                    self._read_last_event(events)
                    return os.waitpid(self._worker, 0)[1]
                if self._patience() == 0.0 and not self._kill():
                    return signal.SIGKILL

    def _await_room(self, listener: socket.socket, instance: DagsterInstance) -> None:
        """On a full disk, how the run ended is told later; whoever asks meanwhile is answered."""
        while not has_room(self.home.root):
            if select.select([listener], [], [], _ROOM_SECONDS)[0]:
                self._answer(listener, instance)

    def _patience(self) -> float | None:
        """Seconds until something must be killed; None for as long as it takes."""
        return None if self._kill_at is None else max(0.0, self._kill_at - time.monotonic())

    def _read_last_event(self, events: int) -> bool:
        """Whether more may come."""
        try:
            part = os.read(events, _PIPE_BYTES)
        except BlockingIOError:
            return True
        self._last_event += part
        return bool(part)

    def _answer(self, listener: socket.socket, instance: DagsterInstance) -> None:
        connection, _address = listener.accept()
        with connection:
            connection.settimeout(1.0)
            try:
                action = messages.receive(connection).get("action")
                if action == "cancel":
                    self._cancel(instance)
                elif action == "stop":
                    self._stop()
                messages.send(connection, {"worker": self._worker, "tree": descendants()})
            except (OSError, ValueError):
                return  # whoever asked hung up; what was ordered stands

    def _cancel(self, instance: DagsterInstance) -> None:
        if self._order is not Order.NONE:
            return
        self._order = Order.CANCEL
        self._kill_at = time.monotonic() + self.grace_seconds
        self._tree = frozenset(descendants())
        self._held = self._held_bytes()
        send_signal(self._worker, signal.SIGINT)
        if not has_room(self.home.root):
            return  # what is running can be ended all the same
        if run := instance.get_run_by_id(self.run_id):
            instance.report_run_canceling(run)

    def _stop(self) -> None:
        """The stack stops, or the server is gone: the work is dropped, and the run kept."""
        if self._order is Order.NONE:
            self._order = Order.REQUEUE
        self._kill_at = time.monotonic()

    def _kill(self) -> bool:
        """SIGKILL to the whole tree, once; False when that did not help in time."""
        if self._killed:
            return False
        self._tree |= frozenset(descendants())
        self._held = self._held or self._held_bytes()
        kill_descendants()
        self._killed = True
        self._kill_at = time.monotonic() + _KILL_SECONDS
        return True

    def _clear_up(self, reporter: Reporter) -> Release | None:
        """Ends what the worker left behind, and waits until nothing of it holds anything."""
        self._tree |= frozenset(descendants())
        survivors = end_descendants(_KILL_SECONDS)
        release = self._wait_for_release(_RELEASE_SECONDS)
        if survivors or (release and not release.released):
            reporter.report_stuck(release, survivors)
            release = self._outlast(release)
        return release

    def _outlast(self, release: Release | None) -> Release | None:
        """However long it takes: a device is back in service only when it is free."""
        if self.lease:
            holders = release.holders if release else ()
            take_out_of_service(self.home, self.lease.uuid, self.run_id, holders)
        while end_descendants(_STUCK_LOOK_SECONDS) or (release and not release.released):
            release = self._wait_for_release(_STUCK_LOOK_SECONDS)
        if self.lease:
            put_into_service(self.home, self.lease.uuid)
        return release

    def _wait_for_release(self, timeout: float) -> Release | None:
        if self.lease is None:
            return None
        return wait_for_release(
            self.inventory, self.lease.uuid, self._tree, held_before=self._held, timeout=timeout
        )

    def _held_bytes(self) -> int:
        return held_bytes(self.inventory, self.lease.uuid, self._tree) if self.lease else 0
