"""The one table of pipelines: the folders beside this package, and third parties' entry points.

A folder `pipelines/<name>/` with a `card.py` that defines `CARD` is a pipeline; so is every entry
point of third parties that names a `PipelineCard`. An entry that cannot be loaded is kept as a
`BrokenEntry`, reported by health, and never hides the others.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType

import pipelines
from pipelines.registry.names import GRAPH_SUFFIX, is_name, is_reserved
from pipelines.registry.schema import describe
from pipelines.registry.spec import PipelineCard, load_object
from pipelines.registry.third_party import third_party_entries
from pipelines.registry.wording import clean


@dataclass(frozen=True)
class BrokenEntry:
    """A registry entry that could not be loaded, and why."""

    name: str
    error: str


@dataclass(frozen=True)
class Catalog:
    cards: Mapping[str, PipelineCard]
    broken: tuple[BrokenEntry, ...] = ()

    @property
    def names(self) -> list[str]:
        return list(self.cards)


@cache
def load_catalog() -> Catalog:
    """Every pipeline installed here, by name in alphabetical order. Loaded once per process."""
    cards: dict[str, PipelineCard] = {}
    broken: list[BrokenEntry] = []
    for name, load in _entries():
        try:
            card = _checked(load(), taken=cards)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a third party raises
            broken.append(BrokenEntry(name, _described(error)))
        else:
            cards[card.name] = card
    return Catalog(MappingProxyType(dict(sorted(cards.items()))), tuple(broken))


def _entries() -> Iterator[tuple[str, Callable[[], object]]]:
    for card in sorted(Path(pipelines.__path__[0]).glob("*/card.py")):
        name = card.parent.name
        yield name, partial(load_object, f"pipelines.{name}.card:CARD")
    yield from third_party_entries()


def _checked(card: object, taken: Mapping[str, PipelineCard]) -> PipelineCard:
    if not isinstance(card, PipelineCard):
        raise TypeError(f"expected a PipelineCard, got {type(card).__name__}")
    if not is_name(card.name):
        raise ValueError(f"{card.name!r} is not a lower snake case name")
    if is_reserved(card.name) or card.name.endswith(GRAPH_SUFFIX):
        raise ValueError(f"the name {card.name!r} is reserved")
    if card.name in taken:
        raise ValueError(f"there is a pipeline named {card.name!r} already")
    _try_out(card)
    return card


def _try_out(card: PipelineCard) -> None:
    """What all jobs and forms are made of: one card that fails there would take all others along.

    Raises whatever a third party's config and estimate raise.
    """
    fields = card.config.model_fields.items()
    if required := [name for name, field in fields if field.is_required()]:
        raise ValueError(f"its config has fields without a default: {', '.join(required)}")
    describe(card.config)
    if card.gpu_memory(card.config()) < 0:
        raise ValueError("its gpu_memory is below zero")


def _described(error: BaseException) -> str:
    """In one line."""
    return clean(" ".join(f"{type(error).__name__}: {error}".split()))
