"""Why a pipeline failed, in the words and codes that REST and the UI show."""

import errno
import traceback
from pathlib import Path

from contracts.run import Failure
from contracts.text import LONGEST, clean_text
from pipelines.errors import PipelineError

_UNREADABLE = "its text cannot be read, as __str__ raises"


def failure_of(error: BaseException, package: str = "") -> Failure:
    """The failure that an exception out of a pipeline stands for.

    `package` is the Python package that holds the pipeline: the failure says which of its lines was
    at work. An author's mistake is told with that place, a failure that has a code of its own
    without.
    """
    match error:
        case PipelineError():
            return Failure(error.code, clean_text(error.message), error.hint)
        case MemoryError():
            return Failure(
                "HOST_OUT_OF_MEMORY",
                "The machine ran out of memory.",
                "Run fewer jobs at once, or choose a smaller batch size.",
            )
        case OSError():
            return _of_the_system(error, package)
        case _ if type(error).__name__ == "OutOfMemoryError":  # torch's; torch may not be loaded
            return Failure(
                "GPU_OUT_OF_MEMORY",
                text_of(error),
                "Choose a smaller batch size, or run when the GPU is free.",
            )
        case _:
            return _of_the_pipeline(error, package)


def text_of(error: BaseException) -> str:
    """What the exception says, whatever its `__str__` does."""
    try:
        return clean_text(str(error))
    except BaseException:  # noqa: BLE001 - it may raise anything, SystemExit as well
        return _UNREADABLE


def has_plain_text(error: BaseException) -> bool:
    """Whether its text can be read, and is of a length that anybody reads."""
    try:
        return len(str(error)) <= LONGEST
    except BaseException:  # noqa: BLE001 - as above
        return False


def _of_the_system(error: OSError, package: str) -> Failure:
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
                f"The disk cannot be written to: {text_of(error)}",
                "Make it writable again (the kernel's log may say what is wrong), then run the "
                "job again.",
            )
        case errno.EACCES | errno.EPERM:
            return Failure(
                "PERMISSION_DENIED",
                text_of(error),
                "Give the user that runs Framegate the right to it, then run the job again.",
            )
        case _:
            return _of_the_pipeline(error, package)


def _of_the_pipeline(error: BaseException, package: str) -> Failure:
    said = ": ".join(part for part in (type(error).__name__, text_of(error)) if part)
    place = _place(error, package)
    return Failure("PIPELINE_FAILED", f"{said} ({place})" if place else said)


def _place(error: BaseException, package: str) -> str | None:
    """File and line of the package's innermost frame; None where it has none in the traceback."""
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        module = str(frame.f_globals.get("__name__", ""))
        if package and f"{module}.".startswith(f"{package}."):
            place = f"{_file(module, frame.f_code.co_filename)}, line {line}"
    return place


def _file(module: str, path: str) -> str:
    """The path from the folder of the topmost package on: the rest is how the machine is set up."""
    parts = Path(path).parts
    top = module.partition(".")[0]
    return "/".join(parts[parts.index(top) :]) if top in parts else Path(path).name
