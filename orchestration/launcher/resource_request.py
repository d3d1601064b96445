"""A run's resource request, from its run config and the cards of its pipelines."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dagster import DagsterRun
from pydantic import ValidationError

from contracts.run import PRESET_TAG, pipelines_of
from pipelines.registry.catalog import Catalog, load_catalog
from pipelines.registry.memory import can_use_gpu, gpu_memory
from pipelines.registry.presets import Preset, load_presets, preset_files

logger = logging.getLogger("framegate.launcher")

_GRACE_SECONDS = 5.0

_Configs = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class ResourceRequest:
    """`memory` in bytes of GPU memory, 0 for none; `grace_seconds` to stop when interrupted.

    `takes_slot` is whether the run computes on a GPU, or on all cores in place of one.
    """

    memory: int
    grace_seconds: float
    takes_slot: bool


def resource_request_of(
    run: DagsterRun, catalog: Catalog, presets: Mapping[str, Preset]
) -> ResourceRequest:
    """The most that any of the run's pipelines needs: they run one after the other."""
    cards = [
        catalog.cards[name] for name in pipelines_to_run(run, catalog) if name in catalog.cards
    ]
    preset = presets.get(run.tags.get(PRESET_TAG, ""))
    memory = [0]
    for card in cards:
        try:
            config = card.config.model_validate(_config(run, card.name, preset))
        except Exception as error:
            # The run's first op will say what is wrong; the others in the queue do not wait for it.
            if not isinstance(error, ValidationError):
                logger.exception("the config model of %s fails", card.name)
            continue
        memory.append(gpu_memory(card, config))
    return ResourceRequest(
        memory=max(memory),
        grace_seconds=max((card.grace_seconds for card in cards), default=_GRACE_SECONDS),
        takes_slot=max(memory) > 0 or any(can_use_gpu(card) for card in cards),
    )


def pipelines_to_run(run: DagsterRun, catalog: Catalog) -> list[str]:
    """A run of `annotate` that was started without a selection runs everything; a retry runs only
    what is left to do.
    """
    names = pipelines_of(run.tags, run.job_name) or sorted(run.op_selection or catalog.names)
    steps = run.step_keys_to_execute
    return names if steps is None else [name for name in names if name in steps]


def presets_now(folder: Path) -> Mapping[str, Preset]:
    """The usable presets in the folder; they are read again when a file changes."""
    stamps = []
    for path in preset_files(folder):
        try:
            stamps.append((path, path.stat().st_mtime_ns))
        except OSError:
            continue  # it has just been removed
    return _presets(folder, tuple(stamps))


@lru_cache(maxsize=1)
def _presets(folder: Path, _stamps: tuple[tuple[Path, int], ...]) -> Mapping[str, Preset]:
    return load_presets(folder, load_catalog()).usable


def _config(run: DagsterRun, name: str, preset: Preset | None) -> Mapping[str, Any]:
    """As the op will merge it: what was left out in a run of a preset is the preset's."""
    ops: Any = run.run_config.get("ops") or {}
    submitted: Mapping[str, Any] = (ops.get(name) or {}).get("config") or {}
    return {**preset.config.get(name, {}), **submitted} if preset else submitted
