"""The preset files: whether all of them can be used, as they are on disk now."""

from dataclasses import asdict
from pathlib import Path

from api.health.deadline import Deadline, ProbeError
from api.health.report import PresetProblemReport, PresetsHealth, PresetsStatus
from pipelines.registry.catalog import Catalog
from pipelines.registry.presets import Presets, load_presets

_MOST_PROBLEMS = 100


async def probe_presets(folder: Path, catalog: Catalog, deadline: Deadline) -> PresetsHealth:
    try:
        presets = await deadline.call("presets", lambda: load_presets(folder, catalog))
    except ProbeError as error:
        return judge(Presets(), warning=str(error))
    files = list(dict.fromkeys(problem.file for problem in presets.problems))
    warning = f"These presets cannot be used: {', '.join(files)}" if files else None
    return judge(presets, warning)


def judge(presets: Presets, warning: str | None) -> PresetsHealth:
    return PresetsHealth(
        status=PresetsStatus.WARNING if warning else PresetsStatus.OK,
        presets_loaded=len(presets.usable),
        preset_names=list(presets.usable),
        warning=warning,
        problems=[
            PresetProblemReport(**asdict(problem)) for problem in presets.problems[:_MOST_PROBLEMS]
        ],
    )
