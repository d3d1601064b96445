"""What Framegate knows of this pipeline without running it. Importing this must stay cheap."""

from pydantic import BaseModel, ConfigDict, Field

from pipelines.sdk import OutputFormat, PipelineCard


class BrightnessConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, title="Brightness")

    dark_below: float = Field(
        default=0.2,
        ge=0.0,
        le=1.0,
        title="Dark below",
        description="A second is dark when its mean brightness, from 0 to 1, is below this.",
    )
    looks_per_second: float = Field(
        default=5.0,
        gt=0.0,
        le=60.0,
        title="Looks per second",
        description="How many frames of each second are measured, at most.",
        json_schema_extra={"group": "Speed", "advanced": True},
    )


CARD = PipelineCard(
    name="brightness",
    display_name="Brightness",
    description="Measures how bright each second of a video is, and names the **dark** ones.",
    family="quality",
    variant="luma",
    version="1.0.0",
    capabilities=("brightness",),
    outputs=(OutputFormat("CSV", ("brightness",)), OutputFormat("PNG", ("chart",))),
    config=BrightnessConfig,
    annotate="framegate_brightness.annotate:annotate",
    default_enabled=False,
)
