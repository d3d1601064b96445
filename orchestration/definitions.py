"""What exists in Dagster, and nothing else."""

from dagster import Definitions, in_process_executor

from orchestration.annotation.assets import build_assets
from orchestration.annotation.jobs import build_jobs
from orchestration.automation.inbox import build_inbox_sensor
from orchestration.automation.job_ends import build_job_end_sensor
from orchestration.automation.nightly_batch import build_nightly_batch
from orchestration.automation.nightly_retention import build_nightly_retention
from orchestration.inbox.preset_files import PresetFiles
from orchestration.logs import take_over_logging
from orchestration.maintenance.library_batch import build_library_batch
from orchestration.maintenance.retention_sweep import build_retention_sweep
from orchestration.settings import Settings
from pipelines.registry.catalog import load_catalog
from pipelines.registry.presets import load_presets

_settings = Settings()
take_over_logging(_settings)  # first loaded by the code server, which Dagster starts

_preset_files = PresetFiles(_settings.folders.presets)  # before: what changes meanwhile is seen
_presets = load_presets(_settings.folders.presets, load_catalog())
_jobs = build_jobs(load_catalog(), _settings.folders, _presets.usable.values())
_library_batch = build_library_batch(_settings, load_catalog(), _jobs)
_retention_sweep = build_retention_sweep(_settings)

definitions = Definitions(
    assets=build_assets(load_catalog(), _jobs, _settings.folders),
    jobs=[*_jobs, _library_batch, _retention_sweep],
    schedules=[
        build_nightly_batch(_settings, _library_batch),
        build_nightly_retention(_settings, _retention_sweep),
    ],
    sensors=[
        build_inbox_sensor(_settings, load_catalog(), _presets, _preset_files, _jobs),
        build_job_end_sensor(_settings),
    ],
    executor=in_process_executor,  # of runs from the catalog; jobs say so themselves
)
