"""A folder of the inbox: what is run with the videos that are dropped into it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from contracts.run import INBOX_OWNER
from orchestration.settings import Settings
from pipelines.registry.catalog import Catalog
from pipelines.registry.presets import Preset, Presets
from pipelines.registry.validation import validate_configs

REJECTED = "rejected"


@dataclass(frozen=True)
class InboxFolder:
    """`job` is the Dagster job, and the folder's name. `config` is as written, `complete_config`
    has the defaults.
    """

    path: Path
    job: str
    pipelines: tuple[str, ...]
    config: Mapping[str, Mapping[str, Any]]
    complete_config: Mapping[str, BaseModel]
    owner: str = INBOX_OWNER
    priority: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)
    preset: str | None = None
    link_results: bool = False

    @property
    def rejected(self) -> Path:
        return self.path / REJECTED


def inbox_folders(settings: Settings, catalog: Catalog, presets: Presets) -> list[InboxFolder]:
    """One for each pipeline that runs without a config, and one for each usable preset."""
    return [
        *_pipeline_folders(settings, catalog),
        *(_preset_folder(settings, preset) for preset in presets.usable.values()),
    ]


def _pipeline_folders(settings: Settings, catalog: Catalog) -> Iterator[InboxFolder]:
    for name in catalog.names:
        verdict = validate_configs([name], {}, catalog)
        if verdict.valid:
            yield InboxFolder(
                path=settings.inbox_root / name,
                job=name,
                pipelines=(name,),
                config={},
                complete_config=verdict.configs,
                link_results=settings.inbox_link_results,
            )


def _preset_folder(settings: Settings, preset: Preset) -> InboxFolder:
    wanted = preset.link_results
    return InboxFolder(
        path=settings.inbox_root / preset.name,
        job=preset.name,
        pipelines=preset.pipelines,
        config=preset.config,
        complete_config=preset.complete_config,
        owner=preset.owner or INBOX_OWNER,
        priority=preset.priority,
        tags=preset.tags,
        preset=preset.name,
        link_results=settings.inbox_link_results if wanted is None else wanted,
    )
