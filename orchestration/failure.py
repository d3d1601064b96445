"""Why a pipeline failed, in the words and codes that REST and the UI show."""

import errno

from contracts.run import Failure
from pipelines.errors import PipelineError


def failure_of(error: Exception) -> Failure:
    """The failure that an exception out of a pipeline stands for."""
    match error:
        case PipelineError():
            return Failure(error.code, error.message, error.hint)
        case MemoryError():
            return Failure(
                "HOST_OUT_OF_MEMORY",
                "The machine's memory did not suffice.",
                "Run fewer jobs at once, or choose a smaller batch size.",
            )
        case OSError():
            return _of_the_system(error)
        case _ if type(error).__name__ == "OutOfMemoryError":  # torch's; torch may not be loaded
            return Failure(
                "GPU_OUT_OF_MEMORY",
                str(error),
                "Choose a smaller batch size, or run when the GPU is free.",
            )
        case _:
            return _of_the_pipeline(error)


def _of_the_system(error: OSError) -> Failure:
    match error.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return Failure(
                "STORAGE_FULL",
                "The disk ran full while results were written.",
                "Free some space, then run the job again.",
            )
        case errno.EROFS:
            return Failure(
                "STORAGE_READ_ONLY",
                f"The disk cannot be written to: {error}",
                "Make it writable again (the kernel's log may say what is wrong), then run the "
                "job again.",
            )
        case errno.EACCES | errno.EPERM:
            return Failure(
                "PERMISSION_DENIED",
                str(error),
                "Give the user that runs Framegate the right to it, then run the job again.",
            )
        case _:
            return _of_the_pipeline(error)


def _of_the_pipeline(error: Exception) -> Failure:
    return Failure("PIPELINE_FAILED", f"{type(error).__name__}: {error}")
