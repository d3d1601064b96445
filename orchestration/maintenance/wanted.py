"""Which pipelines the nightly batch wants on every media, and with which config."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.run import USER_TAG_PREFIX
from pipelines.errors import ConfigError
from pipelines.registry.catalog import Catalog
from pipelines.registry.presets import Preset, Presets
from pipelines.registry.validation import unknown_pipeline


@dataclass(frozen=True)
class Wanted:
    """`config` by pipeline, as it is submitted; `tags` come from presets."""

    config: Mapping[str, Mapping[str, Any]]
    tags: Mapping[str, str]
    versions: Mapping[str, str]


def wanted_pipelines(names: Sequence[str], catalog: Catalog, presets: Presets) -> Wanted:
    """The pipelines that `names` stands for, which names pipelines and presets; without names, all
    that are enabled by default.

    Raises ConfigError for an unknown name, and for a pipeline that is wanted in two ways.
    """
    names = names or [name for name, card in catalog.cards.items() if card.default_enabled]
    config: dict[str, Mapping[str, Any]] = {}
    tags: dict[str, str] = {}
    for name in names:
        preset = presets.usable.get(name)
        for pipeline, its_config in _configs(name, preset, catalog):
            if config.setdefault(pipeline, its_config) != its_config:
                raise ConfigError(
                    f"The batch wants {pipeline} in two ways, one of them by {name}.",
                    "Name each pipeline once, by itself or by one preset.",
                )
        tags |= {f"{USER_TAG_PREFIX}{key}": value for key, value in _tags(preset)}
    return Wanted(config, tags, {pipeline: catalog.cards[pipeline].version for pipeline in config})


def _configs(
    name: str, preset: Preset | None, catalog: Catalog
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if preset is not None:
        yield from ((pipeline, preset.config.get(pipeline, {})) for pipeline in preset.pipelines)
    elif name in catalog.cards:
        yield name, {}
    else:
        problem = unknown_pipeline(name, catalog, "pipelines")
        raise ConfigError(f"{problem.message}, nor a usable preset.", problem.hint)


def _tags(preset: Preset | None) -> Iterator[tuple[str, str]]:
    if preset is not None:
        yield from preset.tags.items()
