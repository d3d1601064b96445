"""What can go wrong in a pipeline, drawn in one place: each error carries its code and a hint.

The op puts code, message and hint on the run; REST shows them as the job's error.
"""

from typing import ClassVar


class PipelineError(Exception):
    """A failure that a person can act on. The job shows its message and its hint.

    Attributes:
        message: what is wrong, in one sentence.
        hint: what to do; None where nobody knows.

    Example:
        >>> raise PipelineError("The chart has no axes.", "Send a video of a whole screen.")
        Traceback (most recent call last):
        pipelines.errors.PipelineError: The chart has no axes.
    """

    code: ClassVar[str] = "PIPELINE_FAILED"

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class MediaError(PipelineError):
    """The file is not media that can be read; the message names the defect."""

    code = "INVALID_MEDIA"


class MediaChangedError(MediaError):
    """The file is no longer the one that the job began with."""

    code = "MEDIA_CHANGED"


class ResultsGoneError(PipelineError):
    """A retry builds on results of an earlier job, and they are gone."""

    code = "RESULTS_GONE"


class FindingsError(PipelineError):
    """What `annotate` returned is not what a pipeline returns, or is not what it wrote."""


class ConfigError(PipelineError):
    """The config is not one of the pipeline's."""

    code = "INVALID_CONFIG"


class ModelUnavailableError(PipelineError):
    """The model's weights are not installed or not readable."""

    code = "MODEL_UNAVAILABLE"


class DeviceUnavailableError(PipelineError):
    """The config asks for a device that this machine does not have."""

    code = "DEVICE_UNAVAILABLE"


class GpuOutOfMemoryError(PipelineError):
    """The GPU's memory did not suffice even for a batch of one. The job fails with the code
    `GPU_OUT_OF_MEMORY`, by which clients tell that a smaller config may do.

    Example:
        >>> raise GpuOutOfMemoryError("One frame does not fit the GPU.", "Set `device` to `cpu`.")
        Traceback (most recent call last):
        pipelines.errors.GpuOutOfMemoryError: One frame does not fit the GPU.
    """

    code = "GPU_OUT_OF_MEMORY"
