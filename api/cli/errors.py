"""How a command fails: every failure has an exit code, a message and, where there is one, a hint.

Exit codes: 1 what was asked for failed (the envelope says why), 2 the command line is wrong,
3 Framegate cannot be reached or is just now not able to answer, 130 interrupted.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class CommandError(Exception):
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        code: str = "COMMAND_FAILED",
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.code = code
        self.detail = detail

    def envelope(self) -> dict[str, Any]:
        """The same shape as the API's own errors."""
        error: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.hint:
            error["hint"] = self.hint
        if self.detail:
            error["detail"] = dict(self.detail)
        return {"error": error}


class UsageError(CommandError):
    exit_code = 2


class UnreachableError(CommandError):
    exit_code = 3


class InterruptedCommandError(CommandError):
    exit_code = 130
