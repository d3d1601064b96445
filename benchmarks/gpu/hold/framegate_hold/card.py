"""The pipeline's card."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from pipelines.sdk import OutputFormat, PipelineCard

#: What a process holds beside what it asks for: CUDA's context.
CONTEXT_BYTES = 800_000_000


class HoldConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    count: int = Field(default=1_000_000_000, ge=1, description="Bytes to hold on the GPU.")
    stops: Literal["at once", "when told", "never"] = Field(
        default="at once", description="When it ends."
    )


def gpu_memory(config: HoldConfig) -> int:
    return CONTEXT_BYTES + config.count


CARD = PipelineCard(
    name="hold",
    display_name="Hold",
    description="Holds GPU memory.",
    family="benchmarks",
    variant="hold",
    version="1.0.0",
    capabilities=("nothing",),
    outputs=(OutputFormat("TXT", ("nothing",)),),
    config=HoldConfig,
    annotate="framegate_hold.annotate:annotate",
    gpu_memory=gpu_memory,
    grace_seconds=2.0,
    default_enabled=False,
)
