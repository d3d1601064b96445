"""What can be set about face detection."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class FaceDetectionConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, title="Face detection")

    threshold: float = Field(
        default=0.5,
        ge=0.05,
        le=1.0,
        title="Confidence threshold",
        description="How sure the network must be of a face. Lower finds more faces and more "
        "false ones.",
        json_schema_extra={"group": "Detection", "advanced": False},
    )
    sample_rate: float = Field(
        default=5.0,
        gt=0.0,
        le=240.0,
        title="Frames per second",
        description="How many frames per second of video to look at. At or above the video's own "
        "rate, every frame.",
        json_schema_extra={"group": "Detection", "advanced": False},
    )
    minimum_face_size: int = Field(
        default=12,
        ge=1,
        le=4096,
        title="Minimum face size",
        description="The shorter side of the smallest face to report, in pixels of the video as "
        "displayed.",
        json_schema_extra={"group": "Detection", "advanced": False},
    )
    maximum_side: int = Field(
        default=640,
        ge=64,
        le=4096,
        title="Maximum side",
        description="Frames are scaled down until neither side is longer than this many pixels. "
        "Higher finds smaller faces, and takes longer with the square of it.",
        json_schema_extra={"group": "Detection", "advanced": True},
    )
    tracking: bool = Field(
        default=True,
        title="Tracking",
        description="Give a face the same number from frame to frame. Without it, every face in "
        "every frame has a number of its own.",
        json_schema_extra={"group": "Tracking", "advanced": False},
    )
    annotated_video: bool = Field(
        default=False,
        title="Annotated video",
        description="Also write an MP4 of the video with the boxes drawn, without sound.",
        json_schema_extra={"group": "Output", "advanced": False},
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
        le=256,
        title="Batch size",
        description="Frames at a time on a GPU, halved when its memory does not suffice. A CPU "
        "takes one at a time, which is fastest there.",
        json_schema_extra={"group": "Device", "advanced": True},
    )
