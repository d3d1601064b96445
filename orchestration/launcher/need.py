"""What a run needs of a device, from its run config and the cards of its pipelines."""

from dataclasses import dataclass
from typing import Any

from dagster import DagsterRun
from pydantic import ValidationError

from contracts.run import pipelines_of
from pipelines.registry.catalog import Catalog

_GRACE_SECONDS = 5.0


@dataclass(frozen=True)
class Need:
    """`memory` in bytes of GPU memory, 0 for none; `grace_seconds` to stop when interrupted."""

    memory: int
    grace_seconds: float


def need_of(run: DagsterRun, catalog: Catalog) -> Need:
    """The most that any of the run's pipelines needs: they run one after the other."""
    cards = [catalog.cards[name] for name in _pipelines(run, catalog) if name in catalog.cards]
    ops: Any = run.run_config.get("ops", {})
    memory, grace = [0], []
    for card in cards:
        grace.append(card.grace_seconds)
        try:
            config = card.config.model_validate(ops.get(card.name, {}).get("config", {}))
        except ValidationError:
            continue  # the run's first op will say what is wrong with it
        memory.append(card.gpu_memory(config))
    return Need(max(memory), max(grace, default=_GRACE_SECONDS))


def _pipelines(run: DagsterRun, catalog: Catalog) -> list[str]:
    """A run of `annotate` that was started without a selection runs everything; a retry runs only
    what is left to do.
    """
    names = pipelines_of(run.tags, run.job_name) or sorted(run.op_selection or catalog.names)
    steps = run.step_keys_to_execute
    return names if steps is None else [name for name in names if name in steps]
