"""What must hold for every history, decided from the history alone."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from tests.deep.soak.flatness import growths
from tests.deep.soak.history import (
    Begun,
    Drained,
    Kill,
    Leases,
    Record,
    Request,
    Run,
    Sample,
    StackTold,
    Stopped,
)

ENDED = {"completed": "PIPELINE_SUCCESS", "failed": "PIPELINE_FAILURE"}
ENDED |= {"cancelled": "PIPELINE_CANCELED"}
ACCEPTED = 201
DELETED = 204
NOT_FOUND = 404
FIRST_SERVER_ERROR = 500
CRASHED = "INTERNAL_SERVER_ERROR"
#: What a submission that is in order may be answered: taken, under way, or not now.
_SUBMIT_ANSWERS = frozenset({ACCEPTED, 409, 503, 507})
FLAT = "memory and file handles are flat"
#: How the misbehaving pipeline is asked to end in every way but well.
_NEVER_COMPLETED = frozenset({"raise", "crash", "exit"})

R = TypeVar("R")


@dataclass(frozen=True)
class Violation:
    invariant: str
    subject: str
    detail: str


@dataclass
class Facts:
    """A history, sorted by what the invariants ask of it."""

    records: Sequence[Record]
    runs: dict[str, Run] = field(init=False)
    requests: list[Request] = field(init=False)
    tries: dict[str, list[Request]] = field(init=False)

    def __post_init__(self) -> None:
        self.requests = self.of(Request)
        self.runs = {run.run_id: run for run in self.of(Run)}
        self.tries = defaultdict(list)
        for request in self.requests:
            if request.action == "submit":
                self.tries[request.submission].append(request)

    def of(self, kind: type[R]) -> list[R]:
        return [record for record in self.records if isinstance(record, kind)]

    def runs_of(self, submission: str) -> list[Run]:
        """A retry carries its parent's tags; it is no second run of the submission."""
        return [
            run for run in self.runs.values() if run.submission == submission and not run.parent
        ]

    def deletion_of(self, job: str) -> list[Request]:
        """Requests that may have deleted the job: the answer may have been cut off."""
        return [
            request
            for request in self.requests
            if request.action == "delete"
            and request.job == job
            and (request.status in {DELETED, None} or _is_server_error(request))
        ]


def violations(records: Sequence[Record]) -> list[Violation]:
    """Everything that is wrong in a history; empty for a good one."""
    facts = Facts(records)
    return [
        Violation(name, subject, detail)
        for name, check in INVARIANTS.items()
        for subject, detail in check(facts)
    ]


Problems = Iterator[tuple[str, str]]


def _accepted_once(facts: Facts) -> Problems:
    for submission, tries in facts.tries.items():
        told = {request.job for request in tries if request.status == ACCEPTED}
        runs = facts.runs_of(submission)
        if len(told) > 1:
            yield submission, f"one submission was answered with {len(told)} jobs: {sorted(told)}"
        for job in told:
            if job not in facts.runs and not facts.deletion_of(job):
                yield submission, f"its job {job} was accepted and is gone"
        if told and not {run.run_id for run in runs} <= told:
            ids = sorted(run.run_id for run in runs)
            yield submission, f"it was told of {sorted(told)}, and has the runs {ids}"
        if not told and len(runs) > 1:
            yield submission, f"it has {len(runs)} runs"
        if runs and not told and all(_is_refusal(request) for request in tries):
            yield submission, f"it was refused, and has the run {runs[0].run_id}"


def _asked_for(facts: Facts) -> Problems:
    retries = [request for request in facts.requests if request.action == "retry"]
    for run in facts.runs.values():
        if run.parent:
            asked = [request for request in retries if request.submission == run.parent]
            if not any(
                request.job == run.run_id or request.status != ACCEPTED for request in asked
            ):
                yield run.run_id, f"nobody asked for a retry of {run.parent}"
        elif run.submission not in facts.tries:
            yield run.run_id, f"nobody submitted {run.submission!r}"
    for request in retries:
        gone = request.job not in facts.runs and not facts.deletion_of(request.job)
        if request.status == ACCEPTED and gone:
            yield request.job, "a retry was accepted and is gone"


def _ends_once(facts: Facts) -> Problems:
    for run in facts.runs.values():
        if run.status not in ENDED:
            yield run.run_id, f"it has not ended: {run.status}"
        elif list(run.endings) != [ENDED[run.status]]:
            yield run.run_id, f"it is {run.status}, and its terminal events are {run.endings}"


def _stays_ended(facts: Facts) -> Problems:
    """Of two answers of which one was over before the other was asked for."""
    told: dict[str, list[Request]] = defaultdict(list)
    for request in facts.requests:
        if request.job and request.state and request.action != "download":
            told[request.job].append(request)
    for job, requests in told.items():
        ended = [request for request in requests if request.state in ENDED]
        if not ended:
            continue
        first = min(ended, key=lambda request: request.ended)
        later = [request for request in requests if request.began >= first.ended]
        if changed := [request for request in later if request.state != first.state]:
            yield job, f"it was {first.state} at {first.ended:.1f} s, then {changed[0].state}"
        run = facts.runs.get(job)
        if run and run.status != first.state:
            yield job, f"it was {first.state} at {first.ended:.1f} s, and {run.status} in the end"


def _is_not_lost(facts: Facts) -> Problems:
    for request in facts.requests:
        if request.status != NOT_FOUND or not request.job or request.action == "delete":
            continue
        if not any(gone.began <= request.ended for gone in facts.deletion_of(request.job)):
            yield request.job, f"at {request.began:.1f} s it was not found"


def _artifacts_match(facts: Facts) -> Problems:
    for run in facts.runs.values():
        if run.broken:
            yield run.run_id, f"it is {run.status}; its folder holds {', '.join(run.broken)}"
        missing = set(run.wanted) - set(run.whole)
        if run.status == "completed" and missing:
            yield run.run_id, f"it is completed and lacks the results of {sorted(missing)}"
    for request in facts.requests:
        if request.action == "download" and request.state == "broken":
            yield request.job, f"at {request.began:.1f} s a download was not what was announced"


def _released(facts: Facts) -> Problems:
    for drained in facts.of(Drained):
        for what in ("leases", "sockets", "uploads", "folders_without_run", "processes"):
            for left in getattr(drained, what):
                yield left, f"is left in {what} with nothing running"


def _leases_are_of_live_runs(facts: Facts) -> Problems:
    """A job's device is given back before anybody is told that the job has ended."""
    ended: dict[str, float] = {}
    for request in facts.requests:
        if request.job and request.state in ENDED and request.action != "download":
            ended[request.job] = min(request.ended, ended.get(request.job, request.ended))
    for sample in facts.of(Leases):
        for run in sample.runs:
            if ended.get(run, sample.at) < sample.at:
                yield (
                    run,
                    f"it had ended at {ended[run]:.1f} s, and held a lease at {sample.at:.1f} s",
                )


def _ends_as_asked(facts: Facts) -> Problems:
    for run in facts.runs.values():
        if run.behaviour in _NEVER_COMPLETED and run.status == "completed":
            yield run.run_id, f"it was asked to {run.behaviour}, and completed"


def _answers_in_words(facts: Facts) -> Problems:
    for request in facts.requests:
        if request.code == CRASHED:
            yield (
                request.job or request.submission,
                f"{request.action} crashed: {request.complaint}",
            )
        taken = request.status is None or request.status in _SUBMIT_ANSWERS
        if request.action == "submit" and not taken and not _is_server_error(request):
            yield request.submission, f"it was answered {request.status}: {request.complaint}"


def _stack_recovers(facts: Facts) -> Problems:
    for told in facts.of(StackTold):
        if told.event == "failed":
            yield "stack", f"at {told.at:.1f} s: {told.detail}"


def _flat(facts: Facts) -> Problems:
    for growth in growths(facts.of(Sample)):
        if growth.excess:
            yield growth.part, str(growth)


def _leaves_nothing(facts: Facts) -> Problems:
    stops = facts.of(Stopped)
    if not stops:
        yield "stack", "the history ends before the stack was stopped"
    for stopped in stops:
        if stopped.exit_code != 0:
            yield "stack", f"it ended with exit code {stopped.exit_code}"
        for process in stopped.processes:
            yield process, "outlives the stack"
        for port in stopped.ports:
            yield str(port), "is still in use"


def _something_happened(facts: Facts) -> Problems:
    if not facts.of(Begun) or not facts.of(Kill):
        yield "soak", "nothing was killed"
    if not any(request.status == ACCEPTED for request in facts.requests):
        yield "soak", "nothing was accepted"
    if not any(run.status == "completed" for run in facts.runs.values()):
        yield "soak", "nothing was completed"
    if not any(sample.runs for sample in facts.of(Leases)):
        yield "soak", "no device was leased"


def _is_server_error(request: Request) -> bool:
    return request.status is not None and request.status >= FIRST_SERVER_ERROR


def _is_refusal(request: Request) -> bool:
    """Whether the answer says for sure that nothing was launched by this request."""
    return request.status is not None and not _is_server_error(request)


INVARIANTS: dict[str, Callable[[Facts], Problems]] = {
    "each accepted submission has exactly one run": _accepted_once,
    "no run that nobody asked for": _asked_for,
    "each run ends, and once": _ends_once,
    "a job that has ended stays as it ended": _stays_ended,
    "no job is lost": _is_not_lost,
    "a job ends as it was asked to": _ends_as_asked,
    "results are whole, and match the state": _artifacts_match,
    "leases are of live runs": _leases_are_of_live_runs,
    "nothing is held when nothing runs": _released,
    "every answer is in words": _answers_in_words,
    "the stack comes back": _stack_recovers,
    FLAT: _flat,
    "a stopped stack leaves nothing": _leaves_nothing,
    "something happened": _something_happened,
}
