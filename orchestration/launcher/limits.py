"""What a run may hold and how long it may take: from the cards of its pipelines, and the settings,
which go before them.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from contracts.cgroup import usable_memory
from orchestration.settings import ALL_PIPELINES, Settings
from pipelines.registry.catalog import Catalog
from pipelines.registry.spec import PipelineCard, TimeLimit

_GIGABYTE = 1000**3
#: Of the machine's memory, what one run may hold unless a card or a setting says otherwise.
_SHARE = 0.5


@dataclass(frozen=True)
class Limits:
    """`memory` in bytes, of the whole run; `time` for each of its pipelines."""

    memory: int
    time: Mapping[str, TimeLimit] = field(default_factory=dict)

    def to_message(self) -> dict[str, Any]:
        return {
            "memory": self.memory,
            "time": {name: asdict(limit) for name, limit in self.time.items()},
        }

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> "Limits":
        limits = {name: TimeLimit(**limit) for name, limit in message["time"].items()}
        return cls(message["memory"], limits)


def limits_of(pipelines: list[str], catalog: Catalog, settings: Settings) -> Limits:
    """The pipelines run one after the other in one process: the one that may hold most counts."""
    cards = [catalog.cards[name] for name in pipelines if name in catalog.cards]
    memory = [_memory_limit(card, settings) for card in cards]
    return Limits(
        memory=max(memory, default=_default_memory(settings)),
        time={card.name: _time_limit(card, settings) for card in cards},
    )


def _memory_limit(card: PipelineCard, settings: Settings) -> int:
    set_limits = settings.memory_limits_gb
    if gigabytes := set_limits.get(card.name) or set_limits.get(ALL_PIPELINES):
        return int(gigabytes * _GIGABYTE)
    return card.memory_limit or _default_memory(settings)


def _default_memory(settings: Settings) -> int:
    gigabytes = settings.memory_limits_gb.get(ALL_PIPELINES)
    return int(gigabytes * _GIGABYTE) if gigabytes else int(usable_memory() * _SHARE)


def _time_limit(card: PipelineCard, settings: Settings) -> TimeLimit:
    set_limits = settings.time_limits
    return set_limits.get(card.name) or set_limits.get(ALL_PIPELINES) or card.time_limit
