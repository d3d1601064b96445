"""Each pipeline is a job of its own, and so is each preset; `annotate` holds all pipelines, for
runs of several.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from dagster import (
    DependencyDefinition,
    GraphDefinition,
    JobDefinition,
    OpDefinition,
    ResourceDefinition,
    in_process_executor,
)

from contracts.home import Home
from contracts.run import (
    ANNOTATE_JOB,
    KIND,
    KIND_TAG,
    OWNER_TAG,
    PRESET_TAG,
    PRIORITY_TAG,
    PROBE_OP,
    USER_TAG_PREFIX,
    pipeline_tags,
)
from orchestration.annotation import descriptions
from orchestration.annotation.descriptions import job_description
from orchestration.annotation.ops import DEFAULT_CONFIG, annotate_op, probe_op
from orchestration.annotation.resources import HOME, home_resource
from pipelines.registry.catalog import Catalog
from pipelines.registry.presets import Preset


def build_jobs(catalog: Catalog, home: Home, presets: Iterable[Preset] = ()) -> list[JobDefinition]:
    probe = probe_op(catalog)
    ops = {card.name: annotate_op(card, catalog) for card in catalog.cards.values()}
    resources = {HOME: home_resource(home)}
    jobs = [
        _job(
            card.name,
            job_description(card),
            probe,
            [ops[card.name]],
            resources,
            tags=pipeline_tags([card.name]),
        )
        for card in catalog.cards.values()
    ]
    several = _job(
        ANNOTATE_JOB,
        descriptions.ANNOTATE,
        probe,
        list(ops.values()),
        resources,
        tags={},
    )
    preset_jobs = [
        _job(
            preset.name,
            _preset_description(preset),
            probe,
            [ops[name] for name in preset.pipelines],
            resources,
            tags=preset_tags(preset),
            config=_preset_config(preset),
        )
        for preset in presets
    ]
    return [*jobs, several, *preset_jobs]


def preset_tags(preset: Preset) -> dict[str, str]:
    """On every run of the preset's job, however it was started."""
    tags = {f"{USER_TAG_PREFIX}{key}": value for key, value in preset.tags.items()}
    tags |= {PRESET_TAG: preset.name, **pipeline_tags(preset.pipelines)}
    if preset.owner:
        tags[OWNER_TAG] = preset.owner
    if preset.priority:
        tags[PRIORITY_TAG] = str(preset.priority)
    return tags


def _preset_description(preset: Preset) -> str:
    origin = f"The preset `{preset.name}`: runs {', '.join(preset.pipelines)}."
    return f"{preset.description}\n\n{origin}" if preset.description else origin


def _preset_config(preset: Preset) -> dict[str, Any]:
    """What the launchpad shows at first; only the media is missing."""
    configs = {name: {"config": dict(preset.config[name])} for name in preset.pipelines}
    return {"ops": {PROBE_OP: {"config": {"media": ""}}, **configs}}


def _job(
    name: str,
    description: str,
    probe: OpDefinition,
    ops: Sequence[OpDefinition],
    resources: Mapping[str, ResourceDefinition],
    *,
    tags: Mapping[str, str],
    config: Mapping[str, Any] | None = None,
) -> JobDefinition:
    graph = GraphDefinition(
        name=f"{name}_graph",  # ops and graphs share one namespace; the op has the plain name
        node_defs=[probe, *ops],
        dependencies={op.name: {"probed": DependencyDefinition(PROBE_OP)} for op in ops},
    )
    # One process per run: it is what a device is leased to, and what a cancellation kills.
    return graph.to_job(
        name=name,
        description=description,
        resource_defs=resources,
        executor_def=in_process_executor,
        tags={KIND_TAG: KIND, **tags},
        config=dict(config) if config else None,
        metadata={DEFAULT_CONFIG: dict(config)} if config else None,
    )
