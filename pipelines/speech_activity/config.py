"""What can be set about speech activity."""

from pydantic import BaseModel, ConfigDict, Field


class SpeechActivityConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, title="Speech activity")

    threshold: float = Field(
        default=0.5,
        ge=0.05,
        le=0.95,
        title="Confidence threshold",
        description="How sure the network must be that somebody speaks. Lower finds more speech "
        "and more that is none.",
        json_schema_extra={"group": "Detection", "advanced": False},
    )
    minimum_speech_seconds: float = Field(
        default=0.25,
        ge=0.0,
        le=60.0,
        title="Minimum speech",
        description="Speech shorter than this many seconds is left out.",
        json_schema_extra={"group": "Segments", "advanced": False},
    )
    minimum_silence_seconds: float = Field(
        default=0.1,
        ge=0.0,
        le=60.0,
        title="Minimum silence",
        description="A pause shorter than this many seconds does not end a segment.",
        json_schema_extra={"group": "Segments", "advanced": False},
    )
    padding_seconds: float = Field(
        default=0.03,
        ge=0.0,
        le=5.0,
        title="Padding",
        description="Seconds added before and after each segment, shared where two would meet.",
        json_schema_extra={"group": "Segments", "advanced": True},
    )
