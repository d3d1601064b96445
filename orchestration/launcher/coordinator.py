"""Where runs enter Dagster's queue, and leave it cancelled."""

from dagster import DagsterRun, DagsterRunStatus, QueuedRunCoordinator, SubmitRunContext

from contracts.door import USER_HEADER, launch_tags
from contracts.run import KIND_TAG, kind_of
from orchestration.annotation.asset_runs import complete_asset_run
from orchestration.launcher import messages
from orchestration.launcher.paths import queue_socket
from orchestration.launcher.queue_locks import locked_entrance, locked_queue
from orchestration.settings import Settings


class PromptRunCoordinator(QueuedRunCoordinator):
    """Configured in dagster.yaml; lives in every process that submits or cancels runs."""

    def submit_run(self, context: SubmitRunContext) -> DagsterRun:
        """A run launched in the UI belongs to whoever launched it, whatever its tags claim. Runs
        of the REST API, of schedules and of sensors keep the owner that they were made with.
        """
        home = Settings().folders
        self._say_what_it_is(context.dagster_run)
        complete_asset_run(context.dagster_run, self._instance, home)
        if user := context.get_request_header(USER_HEADER):
            self._instance.add_run_tags(context.dagster_run.run_id, launch_tags(user))
        with locked_entrance(home):
            run = self._instance.get_run_by_id(context.dagster_run.run_id)
            if run and run.status is DagsterRunStatus.NOT_STARTED:
                run = super().submit_run(context)
        messages.nudge(queue_socket(home))
        return run or context.dagster_run

    def _say_what_it_is(self, run: DagsterRun) -> None:
        """Whoever starts a run in the UI may give it any tag; what it is follows from its job."""
        kind = kind_of(run.job_name)
        if run.tags.get(KIND_TAG) != kind:
            self._instance.add_run_tags(run.run_id, {KIND_TAG: kind})

    def cancel_run(self, run_id: str) -> bool:
        """A run that has left the queue waits for no lock: the daemon holds it while it launches
        others.
        """
        run = self._instance.get_run_by_id(run_id)
        if run is None or run.status is not DagsterRunStatus.QUEUED:
            return run is not None and self._instance.run_launcher.terminate(run_id)
        with locked_queue(Settings().folders):
            return super().cancel_run(run_id)  # looks again whether it is queued
