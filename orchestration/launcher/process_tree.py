"""A run's process tree: all that its worker ever started, and its memory on the leased GPU."""

import logging
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from contracts.home import Home
from orchestration.launcher.processes import descendants, end_descendants
from orchestration.launcher.release import Release, held_bytes, out_of_service, wait_for_release
from orchestration.launcher.reporter import Reporter
from pipelines.registry.devices import Inventory

logger = logging.getLogger("framegate.workers")

_KILL_SECONDS = 5.0
_RELEASE_SECONDS = 10.0
_STUCK_LOOK_SECONDS = 1.0
_STUCK_KILL_SECONDS = 0.1


@dataclass
class ProcessTree:
    """Of the process that looks: the worker is its child. `gpu` is the leased one's UUID."""

    inventory: Inventory
    gpu: str | None
    tree: frozenset[int] = frozenset()
    _held: int | None = None

    def update(self) -> None:
        """Adds processes started since, and notes the GPU memory held: the first amount counts, as
        those that come later are of less.
        """
        self.tree |= frozenset(descendants())
        if self.gpu and self._held is None:
            self._held = held_bytes(self.inventory, self.gpu, self.tree)

    def clear(
        self, home: Home, run_id: str, reporter: Reporter, serve: Callable[[float], None]
    ) -> Release | None:
        """Ends what the worker left behind, and waits until nothing of it holds anything; while
        that takes long, the device is out of service. `serve` passes the time.
        """
        self.tree |= frozenset(descendants())
        survivors = end_descendants(_KILL_SECONDS)
        release = self._wait_for_release(_RELEASE_SECONDS)
        if not survivors and (release is None or release.released):
            return release
        with ExitStack() as stack:
            if self.gpu:
                stack.enter_context(out_of_service(home, self.gpu, run_id))
            try:
                reporter.report_stuck(release, survivors)
            except Exception:
                logger.exception("could not record that processes of the run are left")
            while survivors or (release and not release.released):  # however long it takes
                serve(_STUCK_LOOK_SECONDS)
                survivors = end_descendants(_STUCK_KILL_SECONDS)
                release = self._wait_for_release(0.0)
        return release

    def _wait_for_release(self, timeout: float) -> Release | None:
        if not self.gpu:
            return None
        return wait_for_release(
            self.inventory, self.gpu, self.tree, held_before=self._held, timeout=timeout
        )
