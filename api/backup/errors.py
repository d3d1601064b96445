"""Why a backup is not taken, or not restored."""


class BackupError(Exception):
    """Shown to a person as it is: what is wrong, and how to mend it."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
