"""Every night, what is new in the media library is annotated."""

from dagster import (
    DefaultScheduleStatus,
    JobDefinition,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
    SkipReason,
)

from orchestration.automation.timezone import machine_timezone
from orchestration.settings import Settings

_DESCRIPTION = (
    "Starts `library_batch`, which queues jobs for videos of the media library that lack a current "
    "annotation. Nights that were missed are made up for by one batch."
)


def build_nightly_batch(settings: Settings, library_batch: JobDefinition) -> ScheduleDefinition:
    """On by itself where there is a library."""
    has_library = bool(settings.library_roots)

    def start(_context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        if not has_library:
            return SkipReason("FRAMEGATE_LIBRARY_ROOTS names no folder.")
        return RunRequest()

    return ScheduleDefinition(
        name="nightly_batch",
        job=library_batch,
        cron_schedule=settings.batch_cron,
        execution_timezone=settings.timezone or machine_timezone(),
        execution_fn=start,
        default_status=(
            DefaultScheduleStatus.RUNNING if has_library else DefaultScheduleStatus.STOPPED
        ),
        description=_DESCRIPTION,
    )
