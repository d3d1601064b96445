"""What goes in and out over HTTP, as the contracts say it."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.json_schema import SkipJsonSchema

from contracts import patterns
from contracts.timestamps import Timestamp

MAX_TAGS = 20
MAX_PRIORITY = 1000

TagKey = Annotated[str, StringConstraints(pattern=patterns.TAG_KEY)]
TagValue = Annotated[str, StringConstraints(pattern=patterns.TAG_VALUE)]


def _whole(value: object) -> object:
    """In JSON Schema 1.0 is an integer, too."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Priority = Annotated[int, Field(ge=-MAX_PRIORITY, le=MAX_PRIORITY), BeforeValidator(_whole)]


class JobStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    CANCELLING = "cancelling"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}


class Upload(BaseModel):
    """The form of a submission that brings its file along."""

    # Generated clients know a file by its format, others by its content.
    video: Annotated[
        str,
        WithJsonSchema(
            {
                "type": "string",
                "format": "binary",
                "contentMediaType": "application/octet-stream",
            }
        ),
    ]
    selected_pipelines: str | SkipJsonSchema[None] = Field(
        None,
        description="Comma-separated; without it, all that are on by default.",
        examples=["face_detection,scene_detection"],
    )
    config: str | SkipJsonSchema[None] = Field(
        None,
        description="JSON keyed by pipeline.",
        examples=['{"face_detection": {"threshold": 0.6}}'],
    )
    tags: str | SkipJsonSchema[None] = Field(
        None, description="JSON object of strings.", examples=['{"study": "interviews"}']
    )
    priority: str | SkipJsonSchema[None] = Field(
        None, description="An integer; higher leaves the queue sooner.", examples=["10"]
    )


class JobSubmission(BaseModel):
    """The JSON form of a submission; `config` is keyed by pipeline."""

    model_config = ConfigDict(extra="forbid", strict=True)

    media: Annotated[str, Field(min_length=1, max_length=4096)] = Field(
        description="SHA-256 of an earlier upload, or the path of a file in a media root."
    )
    pipelines: list[str] | None = Field(
        None, max_length=100, description="What to run; without it, all that are on by default."
    )
    config: Any = Field(  # judged by the one validator, which says more than "not a dictionary"
        default_factory=dict,
        description="Keyed by pipeline.",
        json_schema_extra={"type": "object"},
    )
    tags: dict[TagKey, TagValue] = Field(default_factory=dict, max_length=MAX_TAGS)
    priority: Priority = Field(0, description="Jobs with a higher priority leave the queue first.")


class JobError(BaseModel):
    code: str
    message: str
    hint: str | None = None


class PipelineResult(BaseModel):
    """How far one pipeline of a job is; `files` are paths under the job's results."""

    model_config = ConfigDict(validate_assignment=True)

    status: JobStatus
    started_at: Timestamp | None = None
    completed_at: Timestamp | None = None
    annotation_count: int | None = None
    complete: bool | None = Field(
        None, description="False where the file is damaged or cut off; null where nobody says."
    )
    covered_seconds: float | None = Field(None, description="How much of the media was read.")
    files: list[str] = []
    carried_over_from: str | None = Field(
        None, description="The job that made these results, where it was not this one."
    )
    error: JobError | None = None


class Job(BaseModel):
    """A Dagster run, as clients see it. Times are ISO 8601 UTC."""

    id: str
    status: JobStatus
    created_at: Timestamp
    started_at: Timestamp | None
    completed_at: Timestamp | None
    cancelled_at: Timestamp | None
    selected_pipelines: list[str]
    config: Mapping[str, Any]
    video_filename: str | None
    video_path: str | None = Field(
        description="The same as `video_filename`: existing clients show its last part."
    )
    video_size_bytes: int | None
    video_duration_seconds: float | None
    media: str | None = Field(description="SHA-256 of the media: submit it again by this.")
    owner: str | None
    retry_of: str | None = Field(description="The job that this one runs again.")
    tags: dict[str, str]
    priority: int
    queue_position: int | None = Field(description="1 is next; null unless it waits in the queue.")
    waiting_reason: str | None = Field(description="Why it waits, where that is known.")
    progress: dict[str, float] = Field(description="0 to 1, for each pipeline.")
    pipeline_results: dict[str, PipelineResult]
    complete: bool | None = Field(
        description="False where a pipeline could not read all of the media."
    )
    covered_seconds: float | None = Field(description="The least that a pipeline has read.")
    error_message: str | None = Field(description="Null when all is well.")
    error: JobError | None
    dagster_url: str


class JobPage(BaseModel):
    """Newest first. `next_cursor` asks for what follows; null on the last page."""

    jobs: list[Job]
    total: int
    page: int
    per_page: int
    next_cursor: str | None


class CancellationRequest(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(None, max_length=1000, description="Kept on the run.")


class RetryRequest(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    priority: Priority | None = Field(
        None,
        description="Higher leaves the queue sooner; without it, as the job before.",
    )


class CancellationStatus(StrEnum):
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class GpuRelease(BaseModel):
    """What the supervisor saw of the GPU that the job held."""

    device: str
    held_bytes: int
    released: bool
    verified_at: Timestamp


class CancellationResponse(BaseModel):
    job_id: str
    status: CancellationStatus
    message: str
    cancelled_at: Timestamp | None = None
    gpu: GpuRelease | SkipJsonSchema[None] = None


class ResultFile(BaseModel):
    """`path` is relative to the job's results; `url` serves it."""

    path: str
    pipeline: str
    name: str
    role: str
    media_type: str
    size_bytes: int
    sha256: str
    url: str


class JobResults(BaseModel):
    """`pipelines` holds each pipeline's own manifest, `pipeline_results` how each one went."""

    job_id: str
    status: JobStatus
    complete: bool | None = Field(
        description="False where a pipeline could not read all of the media, because it is "
        "damaged or cut off; null where no pipeline says."
    )
    covered_seconds: float | None = Field(description="The least that a pipeline has read.")
    pipeline_results: dict[str, PipelineResult]
    pipelines: dict[str, dict[str, Any]]
    files: list[ResultFile]
