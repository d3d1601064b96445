"""The sensor that runs what is dropped into the inbox."""

import logging
import time
from collections.abc import Sequence
from functools import partial

from dagster import (
    DefaultSensorStatus,
    JobDefinition,
    SensorDefinition,
    SensorEvaluationContext,
    SensorResult,
    sensor,
)

from orchestration.inbox.desk import Desk
from orchestration.inbox.folder import inbox_folders
from orchestration.inbox.inbox import Inbox
from orchestration.inbox.intake import take_in
from orchestration.inbox.notes import description, misplaced_notes, preset_notes
from orchestration.inbox.preset_files import Change, PresetFiles
from orchestration.logs import warn_of_tick
from orchestration.sensors.code_location import reload_code_location
from orchestration.settings import Settings
from pipelines.registry.catalog import Catalog
from pipelines.registry.presets import Presets

logger = logging.getLogger("framegate.inbox")

#: Dagster gives a sensor a minute.
_TICK_SECONDS = 15.0
_NANOSECONDS = 1_000_000_000
_CHANGED = {
    Change.UNDER_WAY: "Presets are changing.",
    Change.DONE: "Presets have changed: the code location framegate must be reloaded (Deployment).",
}


def build_inbox_sensor(
    settings: Settings, catalog: Catalog, presets: Presets, jobs: Sequence[JobDefinition]
) -> SensorDefinition:
    """`jobs` has one of each folder's name."""
    root, folders = settings.inbox_root, inbox_folders(settings, catalog, presets)
    inbox = Inbox(
        home=settings.folders,
        folders=folders,
        quiet=int(settings.inbox_quiet_seconds * _NANOSECONDS),
        desk=Desk(partial(take_in, home=settings.folders)),
    )
    preset_files = PresetFiles(settings.folders.presets)
    names = {folder.job for folder in folders}

    @sensor(
        name="inbox",
        jobs=[job for job in jobs if job.name in names],
        minimum_interval_seconds=settings.inbox_interval_seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description=description(root, folders, presets),
    )
    def _inbox(context: SensorEvaluationContext) -> SensorResult:
        look = inbox.look(context, time.monotonic() + _TICK_SECONDS)
        for line in look.news:
            warn_of_tick(context, logger, line)
        cursor = look.cursor.write()
        if look.requests:
            return SensorResult(run_requests=list(look.requests.values()), cursor=cursor)
        notes = [*look.news, *look.notes, *preset_notes(presets)]
        change = preset_files.look()
        if change is Change.DONE and reload_code_location():
            notes.append("Presets have changed: the code location is being reloaded.")
        elif change is not Change.NONE:
            notes.append(_CHANGED[change])
        notes.extend(misplaced_notes(root, folders))
        return SensorResult(skip_reason="\n".join(notes) or "Nothing new.", cursor=cursor)

    return _inbox
