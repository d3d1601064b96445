"""One scan at the inbox: what is due is taken in, and each file gets its fate."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TypeAlias

from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunRequest,
    RunsFilter,
    SensorEvaluationContext,
)

from contracts.home import Home
from orchestration.dagster_internals.tags import RUN_KEY_TAG, SENSOR_NAME_TAG
from orchestration.inbox.background_intake import BackgroundIntake
from orchestration.inbox.clock import Clock
from orchestration.inbox.cursor import Cursor, HighWaterMark
from orchestration.inbox.entry import ChangeTime, Entry, readable, unsettled_entries
from orchestration.inbox.fair_order import FairOrder
from orchestration.inbox.file_tag import file_tag
from orchestration.inbox.folder import InboxFolder
from orchestration.inbox.intake import IntakeResult, Postponement, Rejection, Video
from orchestration.inbox.links import follow_file, link_ended_runs, link_results
from orchestration.inbox.rejection import set_aside
from orchestration.inbox.request import run_key, run_request
from orchestration.inbox.selection import FileStatus, Selection, advance, select, trusted

SENSOR_NAME = "inbox"

_MOST_FILES = 500
_MOST_RUNS = 100
#: Of the inbox, in the queue: Dagster looks through the whole queue for each run that it takes.
_MOST_QUEUED = 500
_NO_FILE = Rejection(
    "It is a link or a device, not a file; links are not followed.", "Put the video itself there."
)

Due: TypeAlias = tuple[InboxFolder, Entry]


@dataclass
class Scan:
    """The result of a scan: `news` is logged, `notes` are shown for as long as they hold."""

    cursor: Cursor
    requests: dict[str, RunRequest] = field(default_factory=dict)
    news: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Inbox:
    """`quiet` is how long a file must not have changed, in nanoseconds."""

    home: Home
    folders: Sequence[InboxFolder]
    quiet: int
    background_intake: BackgroundIntake
    fair_order: FairOrder

    def scan(self, context: SensorEvaluationContext, deadline: float) -> Scan:
        """Stops at the deadline, in seconds of the monotonic clock: the rest is due again then."""
        scan = Scan(Cursor.read(context.cursor))
        selections = dict(self._selections(scan))
        statuses: dict[str, dict[ChangeTime, FileStatus]] = {name: {} for name in selections}
        if room := self._room(selections.values(), scan, context):
            for (folder, entry), outcome in self._outcomes(self._due(selections), deadline):
                name = _name(folder)
                statuses[name][entry.change_time] = self._settle(
                    folder, entry, outcome, scan, context
                )
                self.fair_order.note(name, entry, time.monotonic())
                if len(scan.requests) >= room:
                    break
        self._link(scan, context)
        scan.cursor.set_marks(
            {
                name: advance(scan.cursor.marks[name], selection.due, statuses[name])
                for name, (_folder, selection) in selections.items()
            }
        )
        return scan

    def _selections(self, scan: Scan) -> Iterator[tuple[str, tuple[InboxFolder, Selection]]]:
        clock, moment = Clock.now(), time.time_ns()
        set_back = clock.set_back_since(scan.cursor.clock)
        scan.cursor.clock = clock
        for folder in self.folders:
            mark = trusted(scan.cursor.marks.get(_name(folder), HighWaterMark()), moment, set_back)
            scan.cursor.marks[_name(folder)] = mark
            try:
                folder.path.mkdir(parents=True, exist_ok=True)
                entries = list(unsettled_entries(folder.path, mark.is_settled))
            except OSError as error:
                scan.notes.append(f"{folder.path} cannot be read: {error.strerror}.")
                entries = []
            yield _name(folder), (folder, select(entries, moment, self.quiet))

    def _room(
        self,
        selections: Iterable[tuple[InboxFolder, Selection]],
        scan: Scan,
        context: SensorEvaluationContext,
    ) -> int:
        """How many runs may be requested; 0 as well where nothing is due."""
        due = sum(len(selection.due) for _folder, selection in selections)
        if not due:
            return 0
        queued = _queued(context.instance, {})
        if queued >= _MOST_QUEUED:  # asked for after that: tags are not looked up as fast
            queued = _queued(context.instance, {SENSOR_NAME_TAG: SENSOR_NAME})
        if queued >= _MOST_QUEUED:
            scan.notes.append(
                f"{due} files wait until fewer than {_MOST_QUEUED} jobs of the inbox are in the "
                f"queue: now they are {queued}."
            )
        return max(0, min(_MOST_RUNS, _MOST_QUEUED - queued))

    def _due(self, selections: Mapping[str, tuple[InboxFolder, Selection]]) -> list[Due]:
        queues = {name: selection.due for name, (_folder, selection) in selections.items()}
        in_order = self.fair_order.order(queues, time.monotonic())
        return [(selections[name][0], entry) for name, entry in islice(in_order, _MOST_FILES)]

    def _outcomes(self, due: Sequence[Due], deadline: float) -> Iterator[tuple[Due, IntakeResult]]:
        yield from ((each, _NO_FILE) for each in due if not each[1].is_file)
        files = {
            (folder.path / entry.name, entry.change_time): (folder, entry)
            for folder, entry in due
            if entry.is_file
        }
        for file, outcome in self.background_intake.outcomes(list(files), deadline):
            yield files[file], outcome

    def _settle(
        self,
        folder: InboxFolder,
        entry: Entry,
        outcome: IntakeResult,
        scan: Scan,
        context: SensorEvaluationContext,
    ) -> FileStatus:
        shown = f"{folder.job}/{readable(entry.name)}"
        match outcome:
            case Video():
                self._request(folder, entry, outcome, scan, context)
                return FileStatus.SETTLED
            case Rejection():
                return self._reject(folder, entry, outcome, scan)
            case Postponement(reason):
                scan.notes.append(f"{shown} waits: {reason}.")
                return FileStatus.WAITS

    def _request(
        self,
        folder: InboxFolder,
        entry: Entry,
        video: Video,
        scan: Scan,
        context: SensorEvaluationContext,
    ) -> None:
        file = folder.path / entry.name
        key = run_key(folder, video.sha256)
        if key in scan.requests:
            return
        if run := _known_run(context, key):
            self._follow(folder, file, run, scan, context)
            return
        scan.requests[key] = run_request(folder, file, video)

    def _follow(
        self,
        folder: InboxFolder,
        file: Path,
        run: DagsterRun,
        scan: Scan,
        context: SensorEvaluationContext,
    ) -> None:
        try:
            follow_file(context.instance, run, file, self.home)
            if folder.link_results:
                link_results(run, file, self.home)
        except OSError as error:
            scan.news.append(
                f"The results of {readable(str(file))} cannot be linked: {error.strerror}."
            )

    def _reject(
        self, folder: InboxFolder, entry: Entry, rejection: Rejection, scan: Scan
    ) -> FileStatus:
        shown = f"{folder.job}/{readable(entry.name)}"
        try:
            target = set_aside(folder, entry.name, rejection)
        except FileNotFoundError:
            return FileStatus.SETTLED
        except OSError as error:
            scan.notes.append(
                f"{shown} cannot be run: {rejection.reason} Moving it failed: {error.strerror}."
            )
            return FileStatus.WAITS
        scan.news.append(f"Moved {shown} to {readable(str(target))}: {rejection.reason}")
        return FileStatus.SETTLED

    def _link(self, scan: Scan, context: SensorEvaluationContext) -> None:
        linked = [folder for folder in self.folders if folder.link_results]
        if not linked:
            return
        scan.cursor.linked_until, problems = link_ended_runs(
            context.instance, linked, self.home, scan.cursor.linked_until
        )
        scan.news += problems


def _name(folder: InboxFolder) -> str:
    """Of its mark: an inbox that is put elsewhere begins anew."""
    return file_tag(folder.path)


def _queued(instance: DagsterInstance, tags: Mapping[str, str]) -> int:
    waiting = RunsFilter(statuses=[DagsterRunStatus.QUEUED], tags=tags)
    return instance.get_runs_count(waiting)


def _known_run(context: SensorEvaluationContext, key: str) -> DagsterRun | None:
    """One that was created and not submitted is requested again, for Dagster to submit it."""
    runs = context.instance.get_runs(RunsFilter(tags={RUN_KEY_TAG: key}), limit=1)
    return next((run for run in runs if run.status is not DagsterRunStatus.NOT_STARTED), None)
