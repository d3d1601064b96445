"""Every error that a client can get, each with its code and status, and the one place that
renders them: the envelope of `contracts/error-envelope.yaml`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from starlette.responses import JSONResponse

from contracts.timestamps import now


class FramegateError(Exception):
    """An answer other than success. `message` says what is wrong, `hint` what to do about it."""

    code: ClassVar[str]
    status: ClassVar[int]

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        field: str | None = None,
        detail: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.field = field
        self.detail = detail
        self.headers = headers


class InvalidRequestError(FramegateError):
    code = "INVALID_REQUEST"
    status = 400


class InvalidConfigError(FramegateError):
    """A submission's config fails validation; `detail.errors` as in validation."""

    code = "INVALID_CONFIG"
    status = 400


class UnauthorizedError(FramegateError):
    code = "UNAUTHORIZED"
    status = 401

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, headers={"WWW-Authenticate": "Bearer"})


class ForbiddenError(FramegateError):
    code = "FORBIDDEN"
    status = 403


class NotFoundError(FramegateError):
    code = "NOT_FOUND"
    status = 404


class JobNotFoundError(NotFoundError):
    code = "JOB_NOT_FOUND"

    def __init__(self, job_id: str) -> None:
        super().__init__(
            f"There is no job {job_id[:64]!r}.", hint="GET /api/v1/jobs lists the jobs."
        )


class PipelineNotFoundError(NotFoundError):
    code = "PIPELINE_NOT_FOUND"


class MethodNotAllowedError(FramegateError):
    code = "METHOD_NOT_ALLOWED"
    status = 405


class JobAlreadyCompletedError(FramegateError):
    code = "JOB_ALREADY_COMPLETED"
    status = 409


class JobNotFinishedError(FramegateError):
    code = "JOB_NOT_FINISHED"
    status = 409


class IdempotencyInFlightError(FramegateError):
    code = "IDEMPOTENCY_CONFLICT"
    status = 409


class IdempotencyMismatchError(FramegateError):
    code = "IDEMPOTENCY_CONFLICT"
    status = 422


class PayloadTooLargeError(FramegateError):
    code = "PAYLOAD_TOO_LARGE"
    status = 413


class RangeNotSatisfiableError(InvalidRequestError):
    status = 416


class RequestTimeoutError(InvalidRequestError):
    status = 408


class HeadTooLargeError(InvalidRequestError):
    status = 431


class UnsupportedMediaError(FramegateError):
    code = "UNSUPPORTED_MEDIA"
    status = 415


class RateLimitedError(FramegateError):
    code = "RATE_LIMITED"
    status = 429

    def __init__(self, message: str, *, retry_after: int) -> None:
        super().__init__(message, headers={"Retry-After": str(retry_after)})


class CancellationFailedError(FramegateError):
    """What could not be killed: `detail` holds pids, signal and host."""

    code = "CANCELLATION_FAILED"
    status = 500


class ValidationUnavailableError(FramegateError):
    """A pipeline's schema cannot be loaded."""

    code = "VALIDATION_ERROR"
    status = 500


class InternalServerError(FramegateError):
    code = "INTERNAL_SERVER_ERROR"
    status = 500


class UnavailableError(FramegateError):
    """Something that we need is away just now: trying again will do."""

    status = 503

    def __init__(self, message: str, *, hint: str | None = None, retry_after: int = 5) -> None:
        super().__init__(message, hint=hint, headers={"Retry-After": str(retry_after)})


class OrchestratorUnavailableError(UnavailableError):
    """Dagster cannot be reached, or cannot do what it is asked just now."""

    code = "ORCHESTRATOR_UNAVAILABLE"


class OrchestratorSilentError(OrchestratorUnavailableError):
    """Dagster was asked and did not answer: what it was asked for may have happened."""


class DatabaseUnavailableError(UnavailableError):
    """The adapter's own database cannot be used just now: no key can be looked up."""

    code = "DATABASE_UNAVAILABLE"


class ProbeUnavailableError(UnavailableError):
    """The media could not be probed just now, which says nothing about the media."""

    code = "PROBE_UNAVAILABLE"


class StorageFullError(FramegateError):
    """`detail` holds required_gb and available_gb."""

    code = "STORAGE_FULL"
    status = 507


class GpuOutOfMemoryError(FramegateError):
    """The estimate fits no device here, ever."""

    code = "GPU_OUT_OF_MEMORY"
    status = 507


def envelope(error: FramegateError, request_id: str) -> dict[str, Any]:
    """The body of the answer; the top-level `detail` is for clients of FastAPI's own shape."""
    detail = dict(error.detail or {})
    if error.status == InternalServerError.status:
        detail["request_id"] = request_id
    optional = {"detail": detail or None, "hint": error.hint, "field": error.field}
    return {
        "error": {
            "code": error.code,
            "message": error.message,
            **{key: value for key, value in optional.items() if value is not None},
            "timestamp": now(),
        },
        "detail": error.message,
    }


def render(error: FramegateError, request_id: str) -> JSONResponse:
    return JSONResponse(envelope(error, request_id), error.status, headers=error.headers)
