"""Writes on a run how its worker ended: the only place where a launched run gets its last event."""

import json
import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    EventLogEntry,
)

from contracts.home import Home
from contracts.run import (
    CANCELLATION_FAILED_TAG,
    FAILURE_TAG,
    RELEASE_TAG,
    Failure,
    failure_tag,
)
from contracts.text import clean_text
from orchestration.launcher.instances import TERMINAL_EVENTS
from orchestration.launcher.release import Release
from orchestration.launcher.worker_end import Resolution, WorkerEnd, failure_of


@dataclass(frozen=True)
class Reporter:
    instance: DagsterInstance
    home: Home
    run_id: str

    def report_end(
        self,
        resolution: Resolution,
        end: WorkerEnd,
        reported: EventLogEntry | None,
        release: Release | None,
    ) -> None:
        """The run's last event, unless somebody ended the run before.

        `release` is of a GPU whose processes were killed or crashed; None for every other end.
        """
        shutil.rmtree(self.home.partial(self.run_id), ignore_errors=True)
        run = self.instance.get_run_by_id(self.run_id)
        if run is None or run.is_finished:
            return
        if release is not None:
            self._report_release(run, release)
        match resolution:
            case Resolution.CANCELED:
                self.instance.report_run_canceled(run, self._cancellation_message())
            case Resolution.AS_REPORTED if reported is not None:
                self._explain(run, reported)
                self.instance.handle_new_event(reported)
            case Resolution.REQUEUED:
                self.requeue(run, "The stack was stopped while the run was under way.")
            case _:
                self.fail(run, failure_of(end), end.breach.pipeline if end.breach else None)

    def report_stuck(self, release: Release | None, pids: Sequence[int]) -> None:
        """The run's processes cannot be killed, or their memory does not come back."""
        holders = sorted({*pids, *(release.holders if release else ())})
        note = {"pids": holders, "signal": "SIGKILL", "host": socket.gethostname()}
        self.instance.add_run_tags(self.run_id, {CANCELLATION_FAILED_TAG: json.dumps(note)})
        what = "cannot be killed" if pids else "may still hold memory on its device"
        self.instance.report_engine_event(
            f"Processes {holders} of this run {what}; until they are gone, a GPU that it leased is "
            "out of service.",
            self.instance.get_run_by_id(self.run_id),
        )

    def report_lost(self) -> None:
        """The supervisor is gone without a word, and its worker with it."""
        shutil.rmtree(self.home.partial(self.run_id), ignore_errors=True)
        run = self.instance.get_run_by_id(self.run_id)
        if run is None or run.is_finished or run.status is DagsterRunStatus.QUEUED:
            return
        if self.conclude():
            return
        if run.status is DagsterRunStatus.CANCELING:
            self.instance.report_run_canceled(run, self._cancellation_message())
            return
        self.fail(
            run,
            Failure(
                "WORKER_LOST",
                "The run's supervisor was killed, and the run worker with it.",
                "Submit the job again; the system's log may say who killed it.",
            ),
        )

    def report_untold(self, kind: str, text: str) -> None:
        """The end of the run could not be recorded, and trying again would not help."""
        run = self.instance.get_run_by_id(self.run_id)
        if run is None or run.is_finished:
            return
        message = clean_text(f"The end of the run could not be recorded: {kind}: {text}")
        self.fail(run, Failure("WORKER_LOST", message, "Submit the job again."))

    def conclude(self) -> bool:
        """Whether the run's last event had been written when its writer was killed.

        Then the run only has to follow it: Dagster writes the event first and the state after.
        """
        told = self.instance.get_records_for_run(self.run_id, of_type=set(TERMINAL_EVENTS), limit=1)
        for record in told.records:
            entry = record.event_log_entry
            shutil.rmtree(self.home.partial(self.run_id), ignore_errors=True)
            self.instance.run_storage.handle_run_event(
                self.run_id, entry.get_dagster_event(), datetime.fromtimestamp(entry.timestamp, UTC)
            )
        return bool(told.records)

    def requeue(self, run: DagsterRun, why: str) -> None:
        """Puts the run back into the queue, without the marks of its last attempt."""
        shutil.rmtree(self.home.partial(self.run_id), ignore_errors=True)
        if run.status is DagsterRunStatus.QUEUED:
            return  # who launched it has put it back already
        if run.tags.get(CANCELLATION_FAILED_TAG):
            self.instance.add_run_tags(self.run_id, {CANCELLATION_FAILED_TAG: ""})
        self.instance.report_engine_event(f"{why} It goes back into the queue.", run)
        self.instance.report_dagster_event(DagsterEvent.job_enqueue(run), run_id=run.run_id)

    def fail(self, run: DagsterRun, failure: Failure, pipeline: str | None = None) -> None:
        """`pipeline` is the one of the run that failed, where that is known."""
        told = [FAILURE_TAG, *([failure_tag(pipeline)] if pipeline else [])]
        self.instance.add_run_tags(run.run_id, dict.fromkeys(told, failure.to_tag()))
        self.instance.report_run_failed(run, f"{failure.code}: {failure.message}")

    def _explain(self, run: DagsterRun, last_event: EventLogEntry) -> None:
        """A run that failed outside its pipelines has no reason yet: what Dagster says is one."""
        has_reason = any(tag.startswith((FAILURE_TAG, failure_tag(""))) for tag in run.tags)
        if last_event.dagster_event_type is not DagsterEventType.PIPELINE_FAILURE or has_reason:
            return
        event = last_event.get_dagster_event()
        error = event.job_failure_data.error
        said = f"{event.message or ''} {error.message if error else ''}".strip()
        reason = Failure("RUN_FAILED", clean_text(said), "See the run's log in the Dagster UI.")
        self.instance.add_run_tags(run.run_id, {FAILURE_TAG: reason.to_tag()})

    def _report_release(self, run: DagsterRun, release: Release) -> None:
        if release.held_bytes is None:
            before = f"What was held on {release.device} is not known; it was"
        else:
            before = f"{release.held_bytes} bytes on {release.device} were held before; they were"
            self.instance.add_run_tags(run.run_id, {RELEASE_TAG: release.to_tag()})
        self.instance.report_engine_event(f"{before} back after {release.milliseconds} ms.", run)

    def _cancellation_message(self) -> str | None:
        """Who cancelled, and why, as REST left it; None for a cancellation in the UI."""
        try:
            note = json.loads(self.home.cancellation(self.run_id).read_text())
        except (OSError, ValueError):
            return None
        reason = f": {note['reason']}" if note.get("reason") else ""
        return f"Cancelled by {note.get('by') or 'somebody'}{reason}"
