"""One soak: visitors, a killer and a sampler at work until the time is over; then the survey."""

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event, Thread

import httpx

from contracts.home import Home
from tests.deep.soak import survey
from tests.deep.soak.history import Begun, History
from tests.deep.soak.kills import Killer
from tests.deep.soak.stack import SoakedStack
from tests.deep.soak.traffic import Jobs, Visitor

_VISITORS = 4
_SAMPLE_SECONDS = 5.0
#: The last share of the time is without kills, so that processes live long enough to be judged.
_CALM_SHARE = 0.25
#: All jobs are short; what has not ended by then never will.
_DRAIN_SECONDS = 300.0
_UNDER_WAY = ("pending", "running", "cancelling")


@dataclass
class Soak:
    stack: SoakedStack
    history: History
    seed: int
    minutes: float
    database: str
    _over: Event = field(default_factory=Event, init=False)
    _calm: Event = field(default_factory=Event, init=False)
    _errors: list[Exception] = field(default_factory=list, init=False)

    def run(self) -> None:
        """Raises what went wrong with the soak itself; the history tells the rest."""
        self.history.add(Begun(self.seed, self.minutes, self.database))
        self.stack.start()
        try:
            with ExitStack() as stack:
                threads = self._threads(stack)
                for thread in threads:
                    thread.start()
                self._wait(self._calm, self.minutes * 60 * (1 - _CALM_SHARE))
                self._wait(self._over, self.minutes * 60 * _CALM_SHARE)
                for thread in threads:
                    thread.join()
                self._drain()
            home = Home(self.stack.home)
            for run in survey.runs(home):
                self.history.add(run)
            left = [str(process) for process in self.stack.supervisors()]
            self.history.add(survey.drained(home, left))
        finally:
            self.stack.stop()
        if self._errors:
            raise self._errors[0]

    def _wait(self, moment: Event, seconds: float) -> None:
        """Until the moment has come, or there is nothing left to soak."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.stack.gave_up.is_set():
            if moment.wait(1.0):
                return
        moment.set()

    def _threads(self, stack: ExitStack) -> list[Thread]:
        jobs = Jobs(retry_is_served=self._serves_retry())
        works: list[tuple[Callable[[], None], Event, Callable[[], float]]] = [
            (self.stack.sample, self._over, lambda: _SAMPLE_SECONDS)
        ]
        for number in range(_VISITORS):
            numbers = random.Random(f"{self.seed} visitor {number}")  # noqa: S311 - to be repeated
            client = stack.enter_context(self._client())
            visitor = Visitor(
                client, jobs, self.history, self.stack.clock, numbers, self.stack.gave_up
            )
            works.append((visitor.act_once, self._over, _pause(numbers, 0.0, 1.5)))
        numbers = random.Random(f"{self.seed} killer")  # noqa: S311 - to be repeated
        killer = Killer(self.stack, self.history, numbers)
        works.append((killer.kill_once, self._calm, _pause(numbers, 2.0, 12.0)))
        return [Thread(target=self._repeat, args=work) for work in works]

    def _repeat(self, work: Callable[[], None], over: Event, pause: Callable[[], float]) -> None:
        """An error of the soak's own ends it early."""
        try:
            while not over.wait(pause()):
                work()
        except Exception as error:  # noqa: BLE001 - raised where it is seen
            self._errors.append(error)
            self._calm.set()
            self._over.set()

    def _drain(self) -> None:
        """Until every job has ended; who has not by then is found by the survey."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        with self._client() as client:
            while time.monotonic() < deadline and not self.stack.gave_up.is_set():
                try:
                    waiting = sum(
                        client.get("/api/v1/jobs", params={"status": status}).json()["total"]
                        for status in _UNDER_WAY
                    )
                except (httpx.TransportError, KeyError):
                    waiting = 1
                if not waiting:
                    return
                time.sleep(1.0)

    def _serves_retry(self) -> bool:
        with self._client() as client:
            return "/api/v1/jobs/{job_id}/retry" in client.get("/openapi.json").json()["paths"]

    def _client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.stack.url,
            headers={"X-API-Key": self.stack.key},
            timeout=60.0,
            trust_env=False,
        )


def _pause(numbers: random.Random, shortest: float, longest: float) -> Callable[[], float]:
    return lambda: numbers.uniform(shortest, longest)
