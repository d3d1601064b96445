"""Why a stack does not start, or does not go on."""


class StackError(Exception):
    """Shown to a person as it is: what is wrong, how to mend it, and a log's last lines."""

    def __init__(self, message: str, *, hint: str | None = None, log: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.log = log
