"""Every night, what is too old is swept away: where somebody asked for that."""

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
    "Starts `retention_sweep`, as FRAMEGATE_RETENTION says: `on` deletes, `dry-run` only says what "
    "would be deleted, `off` does nothing. Nights that were missed are made up for by one sweep."
)


def build_nightly_retention(settings: Settings, sweep: JobDefinition) -> ScheduleDefinition:
    """Off unless the settings say otherwise."""
    is_off = settings.retention == "off"

    def start(_context: ScheduleEvaluationContext) -> RunRequest | SkipReason:
        if is_off:
            return SkipReason("FRAMEGATE_RETENTION is off.")
        config = {"dry_run": settings.retention != "on"}
        return RunRequest(run_config={"ops": {sweep.name: {"config": config}}})

    return ScheduleDefinition(
        name="nightly_retention",
        job=sweep,
        cron_schedule=settings.retention_cron,
        execution_timezone=settings.timezone or machine_timezone(),
        execution_fn=start,
        default_status=DefaultScheduleStatus.STOPPED if is_off else DefaultScheduleStatus.RUNNING,
        description=_DESCRIPTION,
    )
