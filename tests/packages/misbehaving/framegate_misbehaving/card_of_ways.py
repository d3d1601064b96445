"""A third party's pipeline that misbehaves in one of many ways, and needs no device for it."""

from pydantic import BaseModel, ConfigDict, Field

from pipelines.sdk import OutputFormat, PipelineCard


class WaysConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    way: str = Field(default="", description="The name of a function in ways_*.py.")
    size: float = Field(default=1.0, description="Any number: nothing comes of it.")


CARD = PipelineCard(
    name="ways",
    display_name="Ways to misbehave",
    description="Does what no pipeline should, in one way of many.",
    family="tests",
    variant="ways",
    version="1.0.0",
    capabilities=("misbehaviour",),
    outputs=(OutputFormat("TXT", ("nothing",)),),
    config=WaysConfig,
    annotate="framegate_misbehaving.ways:annotate",
    default_enabled=False,
)
