"""What Dagster answers instead: every member of a union that is no success, as an error of ours."""

from collections.abc import Mapping
from typing import Any

from api.dagster.transport import disk_is_full, is_disk_full
from api.errors import (
    FramegateError,
    InternalServerError,
    InvalidConfigError,
    JobNotFoundError,
    OrchestratorSilentError,
    OrchestratorUnavailableError,
)

#: What the webserver raises while the code server is away, or not loaded yet.
_CODE_SERVER_IS_AWAY = frozenset(
    {
        "DagsterUserCodeUnreachableError",
        "DagsterUserCodeUnreachableTimeoutError",
        "DagsterCodeLocationLoadError",
        "DagsterCodeLocationNotFoundError",
    }
)
#: What it raises while its database cannot be used: a lost connection, none that is free, a lock.
_DATABASE_IS_AWAY = frozenset(
    {
        "DagsterPostgresException",
        "InterfaceError",
        "OperationalError",
        "TimeoutError",
    }
)
_SOMETHING_IS_AWAY = _CODE_SERVER_IS_AWAY | _DATABASE_IS_AWAY
_RELOAD = "Restart the stack, or reload the code location `framegate` in the Dagster UI."


def expect(result: Mapping[str, Any], *members: str, run_id: str = "") -> None:
    """Raises the error that stands for any other member of the union."""
    if result["__typename"] in members:
        return
    if is_disk_full(str(result.get("message"))):
        raise disk_is_full()
    raise _error_of(result, run_id)


def _error_of(result: Mapping[str, Any], run_id: str) -> FramegateError:
    message = str(result.get("message", ""))
    match result["__typename"]:
        case "RunNotFoundError":
            return JobNotFoundError(run_id)
        case "RunConfigValidationInvalid":
            return InvalidConfigError(
                "Dagster refuses the run config.",
                detail={"errors": [_config_error(error) for error in result["errors"]]},
            )
        case "PipelineNotFoundError" | "InvalidSubsetError":
            return OrchestratorUnavailableError(
                "Dagster does not know this pipeline (yet).", hint=_RELOAD
            )
        case "UnauthorizedError":
            return OrchestratorUnavailableError(
                "Dagster's webserver does not allow it.",
                hint="Start it without --read-only.",
            )
        case "PythonError" if str(result.get("className")) in _SOMETHING_IS_AWAY:
            return _away(str(result["className"]))
        case member:
            return InternalServerError(f"Dagster answers with {member}: {message[:500]}")


def _away(kind: str) -> OrchestratorUnavailableError:
    if kind in _CODE_SERVER_IS_AWAY:
        return OrchestratorUnavailableError(
            "Dagster's code server cannot be reached.", hint=_RELOAD
        )
    return OrchestratorSilentError(
        "Dagster's database cannot be used just now.", hint="Check that it is up, then try again."
    )


def _config_error(error: Mapping[str, Any]) -> dict[str, str]:
    return {"field": ".".join(error["path"]), "message": error["message"], "code": "INVALID_VALUE"}
