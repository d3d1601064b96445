"""The config type of `media`: text that the launchpad offers empty, and that must be filled in."""

from typing import Any

from orchestration.dagster_internals.config_types import (
    ConfigScalar,
    ConfigScalarKind,
    PostProcessingError,
)


class MediaReference(ConfigScalar):
    def __init__(self) -> None:
        super().__init__("MediaReference", "String, not empty", ConfigScalarKind.STRING)

    def post_process(self, value: Any) -> Any:
        """Dagster's hook for what types cannot say: raises when a run is about to start."""
        if not str(value).strip():
            raise PostProcessingError("Fill in which media: a SHA-256, or the path of a file.")
        return value
