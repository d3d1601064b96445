"""Who is killed next: decided by the seed, within what a stack can be expected to mend."""

import random
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

from tests.deep.soak.history import History, Kill
from tests.deep.soak.stack import PARTS, SoakedStack

#: A part that ends a fourth time within a minute ends the stack: that is meant so.
_MOST_A_MINUTE = 2
_MINUTE = 60.0

_TARGETS = {
    "worker": 8,
    "supervisor": 8,
    "fork server": 3,
    "daemon": 3,
    "webserver": 3,
    "code server": 3,
    "API": 3,
    "framegate up": 1,
    "whole stack": 2,
}


@dataclass
class Killer:
    stack: SoakedStack
    history: History
    random: random.Random
    _ended: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list), init=False)

    def kill_once(self) -> None:
        """Kills somebody; returns when the stack is ready again if all of it was killed."""
        [target] = self.random.choices(list(_TARGETS), list(_TARGETS.values()))
        pick = self.random.random()
        match target:
            case "whole stack":
                self._note(target, self.stack.kill_all())
                self._start_again()
            case "framegate up":
                self._kill(target, psutil.Process(self.stack.pid))
                self.stack.reap()
                self._start_again()
            case "worker":
                self._kill_one(target, self.stack.workers(), pick)
            case "supervisor":
                self._kill_one(target, self.stack.supervisors(), pick)
            case part if part in PARTS and self._may_end(part):
                self._kill_one(part, [self.stack.parts()[part]], pick)

    def _may_end(self, part: str) -> bool:
        now = time.monotonic()
        self._ended[part] = [moment for moment in self._ended[part] if now - moment < _MINUTE]
        if len(self._ended[part]) >= _MOST_A_MINUTE or part not in self.stack.parts():
            return False
        self._ended[part].append(now)
        return True

    def _kill_one(self, target: str, processes: list[psutil.Process], pick: float) -> None:
        if processes:
            self._kill(target, processes[int(pick * len(processes))])

    def _kill(self, target: str, process: psutil.Process) -> None:
        with suppress(psutil.NoSuchProcess):
            process.kill()
            self._note(target, [process.pid])

    def _note(self, target: str, pids: list[int]) -> None:
        self.history.add(Kill(self.stack.clock(), target, pids))

    def _start_again(self) -> None:
        self._ended.clear()
        self.stack.start()
