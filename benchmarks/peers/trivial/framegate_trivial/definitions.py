"""The trivial job as Dagster knows jobs by default: the multiprocess executor runs its one op."""

from pathlib import Path

from dagster import Definitions, OpExecutionContext, job, op

from framegate_trivial.work import work


@op(config_schema={"behaviour": str, "mark": str})
def trivial(context: OpExecutionContext) -> None:
    work(context.op_config["behaviour"], Path(context.op_config["mark"]))


@job
def trivial_job() -> None:
    trivial()


definitions = Definitions(jobs=[trivial_job])
