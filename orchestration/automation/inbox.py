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

from orchestration.automation.code_location import reload_code_location
from orchestration.inbox.background_intake import BackgroundIntake
from orchestration.inbox.fair_order import FairOrder
from orchestration.inbox.folder import inbox_folders
from orchestration.inbox.inbox import SENSOR_NAME, Inbox
from orchestration.inbox.intake import take_in
from orchestration.inbox.notes import description, first_of, misplaced_notes, preset_notes
from orchestration.inbox.preset_files import Change, PresetFiles
from orchestration.logs import warn_of_tick
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
    settings: Settings,
    catalog: Catalog,
    presets: Presets,
    preset_files: PresetFiles,
    jobs: Sequence[JobDefinition],
) -> SensorDefinition:
    """`preset_files` is as of before `presets` were loaded. `jobs` has one for each folder."""
    root, folders = settings.inbox_root, inbox_folders(settings, catalog, presets)
    inbox = Inbox(
        home=settings.folders,
        folders=folders,
        quiet=int(settings.inbox_quiet_seconds * _NANOSECONDS),
        background_intake=BackgroundIntake(partial(take_in, home=settings.folders)),
        fair_order=FairOrder(),
    )
    names = {folder.job for folder in folders}

    @sensor(
        name=SENSOR_NAME,
        jobs=[job for job in jobs if job.name in names],
        minimum_interval_seconds=settings.inbox_interval_seconds,
        default_status=DefaultSensorStatus.RUNNING,
        description=description(root, folders, presets),
    )
    def _inbox(context: SensorEvaluationContext) -> SensorResult:
        scan = inbox.scan(context, time.monotonic() + _TICK_SECONDS)
        for line in scan.news:
            warn_of_tick(context, logger, line)
        cursor = scan.cursor.write()
        # However many files there are to run: new presets are loaded all the same.
        change = _change(preset_files)
        if scan.requests:
            return SensorResult(run_requests=list(scan.requests.values()), cursor=cursor)
        notes = [*first_of(scan.news), *first_of(scan.notes), *preset_notes(presets)]
        notes += [change] if change else []
        notes.extend(misplaced_notes(root, folders))
        return SensorResult(skip_reason="\n".join(notes) or "Nothing new.", cursor=cursor)

    return _inbox


def _change(preset_files: PresetFiles) -> str | None:
    """What there is to say of it; has them loaded once they change no more."""
    change = preset_files.look()
    if change is Change.DONE and reload_code_location():
        return "Presets have changed: the code location is being reloaded."
    return _CHANGED.get(change)
