"""What exists in Dagster, and nothing else."""

from dagster import Definitions, in_process_executor

from orchestration.assets import build_assets
from orchestration.jobs import build_jobs
from orchestration.settings import Settings
from pipelines.registry.catalog import load_catalog
from pipelines.registry.presets import load_presets

_settings = Settings()

_presets = load_presets(_settings.folders.presets, load_catalog())
_jobs = build_jobs(load_catalog(), _settings.folders, _presets.usable.values())

definitions = Definitions(
    assets=build_assets(load_catalog(), _jobs, _settings.folders),
    jobs=_jobs,
    executor=in_process_executor,  # of runs from the catalog; jobs say so themselves
)
