"""What all maintenance jobs have in common: one op of the same name, and no part in REST's jobs."""

from collections.abc import Callable, Mapping
from typing import Any

from dagster import (
    Field,
    GraphDefinition,
    JobDefinition,
    Nothing,
    OpExecutionContext,
    Out,
    ResourceDefinition,
    in_process_executor,
    op,
)

from contracts.home import Home
from contracts.run import KIND_TAG, MAINTENANCE_KIND, MAINTENANCE_TAG
from orchestration.annotation.resources import HOME, home_resource


def maintenance_job(
    name: str,
    work: Callable[[OpExecutionContext, Home], None],
    *,
    home: Home,
    description: str,
    config: Mapping[str, Field],
) -> JobDefinition:
    """`config` is explained in the launchpad, which starts with every field's default."""

    @op(
        name=name,
        description=description,
        config_schema=dict(config),
        required_resource_keys={HOME},
        out=Out(Nothing),
    )
    def _work(context: OpExecutionContext) -> None:
        work(context, getattr(context.resources, HOME))

    resources: dict[str, ResourceDefinition] = {HOME: home_resource(home)}
    return GraphDefinition(name=f"{name}_graph", node_defs=[_work]).to_job(
        name=name,
        description=description,
        resource_defs=resources,
        executor_def=in_process_executor,
        tags={KIND_TAG: MAINTENANCE_KIND, MAINTENANCE_TAG: name},
        config={"ops": {name: {"config": _defaults(config)}}},
    )


def _defaults(config: Mapping[str, Field]) -> dict[str, Any]:
    return {name: field.default_value for name, field in config.items()}
