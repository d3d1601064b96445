"""The trivial job as a pipeline of Framegate's."""

from pydantic import BaseModel, ConfigDict, Field

from pipelines.sdk import OutputFormat, PipelineCard


class TrivialConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    behaviour: str = Field(default="finish", description="finish, listen or swallow.")
    mark: str = Field(default="", description="The file to say in when the work began.")


CARD = PipelineCard(
    name="trivial",
    display_name="Trivial",
    description="Imports torch and looks at the clock.",
    family="benchmarks",
    variant="trivial",
    version="1.0.0",
    capabilities=("nothing",),
    outputs=(OutputFormat("TXT", ("nothing",)),),
    config=TrivialConfig,
    annotate="framegate_trivial.annotate:annotate",
    default_enabled=False,
)
