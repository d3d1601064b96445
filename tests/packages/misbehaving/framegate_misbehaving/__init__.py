"""A third party's pipeline whose config says how it misbehaves."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from pipelines.sdk import OutputFormat, PipelineCard


class Behaviour(StrEnum):
    FINISH = "finish"
    SLEEP = "sleep"
    SWALLOW = "swallow"
    NATIVE = "native"
    GRANDCHILD = "grandchild"
    ALLOCATE = "allocate"
    HOLD_GPU = "hold_gpu"
    STUCK_GPU = "stuck_gpu"
    CRASH = "crash"
    EXIT = "exit"
    RAISE = "raise"
    WRITE = "write"
    FILL_DISK = "fill_disk"
    GPU_OUT_OF_MEMORY = "gpu_out_of_memory"
    BROKEN_PREVIEW = "broken_preview"
    DANGLING_LINK = "dangling_link"


class MisbehavingConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")

    behaviour: Behaviour = Field(default=Behaviour.FINISH, description="What to do.")
    seconds: float = Field(default=60.0, ge=0.0, le=600.0, description="For how long.")
    until: str = Field(default="", description="A file that ends sleeping, and raising, at once.")
    cgroup: str = Field(default="", description="A memory cgroup to move into before allocating.")
    gpu_memory: int = Field(default=0, ge=0, description="Bytes of GPU memory to ask for.")


def gpu_memory(config: MisbehavingConfig) -> int:
    return config.gpu_memory


CARD = PipelineCard(
    name="misbehaving",
    display_name="Misbehaving",
    description="Does what no pipeline should.",
    family="tests",
    variant="misbehaving",
    version="1.0.0",
    capabilities=("misbehaviour",),
    outputs=(OutputFormat("TXT", ("nothing",)),),
    config=MisbehavingConfig,
    annotate="framegate_misbehaving.annotate:annotate",
    gpu_memory=gpu_memory,
    default_enabled=False,
)
