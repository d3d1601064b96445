"""What can be set about scene detection."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class SceneDetectionConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, title="Scene detection")

    threshold: float = Field(
        default=0.5,
        ge=0.01,
        le=0.99,
        title="Threshold",
        description="How sure the network must be of a cut. Lower finds more cuts and more false "
        "ones.",
        json_schema_extra={"group": "Detection", "advanced": False},
    )
    minimum_scene_seconds: float = Field(
        default=0.4,
        ge=0.0,
        le=3600.0,
        title="Minimum scene length",
        description="Of two cuts that are closer than this, in seconds, only the surer one counts. "
        "The first and the last scene, which one cut bounds, may be shorter.",
        json_schema_extra={"group": "Detection", "advanced": False},
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        title="Device",
        description="Where the network runs: `auto` takes a GPU where there is one.",
        json_schema_extra={"group": "Device", "advanced": True},
    )
    batch_size: int = Field(
        default=8,
        ge=1,
        le=128,
        title="Batch size",
        description="Windows of 100 frames at a time on a GPU, halved when its memory does not "
        "suffice. A CPU takes one at a time, which is fastest there.",
        json_schema_extra={"group": "Device", "advanced": True},
    )
