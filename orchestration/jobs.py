"""Each pipeline is a job of its own; `annotate` holds all of them, for runs of several."""

from collections.abc import Mapping, Sequence

from dagster import (
    DependencyDefinition,
    GraphDefinition,
    JobDefinition,
    OpDefinition,
    ResourceDefinition,
    in_process_executor,
)

from contracts.home import Home
from contracts.run import ANNOTATE_JOB, KIND, KIND_TAG, PROBE_OP, pipeline_tags
from orchestration.ops import annotate_op, probe_op
from orchestration.resources import HOME, home_resource
from pipelines.registry.catalog import Catalog


def build_jobs(catalog: Catalog, home: Home) -> list[JobDefinition]:
    probe = probe_op(catalog)
    ops = {card.name: annotate_op(card, catalog) for card in catalog.cards.values()}
    resources = {HOME: home_resource(home)}
    jobs = [
        _job(card.name, card.description, probe, [ops[card.name]], resources)
        for card in catalog.cards.values()
    ]
    several = _job(
        ANNOTATE_JOB,
        "Runs several pipelines on one media, one after the other on one device: select the ops "
        "to run. A pipeline that fails leaves the others' results standing.",
        probe,
        list(ops.values()),
        resources,
    )
    return [*jobs, several]


def _job(
    name: str,
    description: str,
    probe: OpDefinition,
    ops: Sequence[OpDefinition],
    resources: Mapping[str, ResourceDefinition],
) -> JobDefinition:
    tags = {KIND_TAG: KIND}
    if name != ANNOTATE_JOB:
        tags |= pipeline_tags([name])
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
        tags=tags,
    )
