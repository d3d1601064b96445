"""Dagster's compute logs without its helper processes.

Dagster's own manager copies what a run prints to its parent's output as well, by two `tail`s and
two watchers of them. A run worker here has a log of its own anyway: see `Home.worker_log`.
Pictures among results are served the same way: see `orchestration.annotation.pictures`.
"""

import errno
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from orchestration.annotation.pictures import is_picture, picture_path
from orchestration.dagster_internals.compute_logs import (
    IO_TYPE_EXTENSION,
    CapturedLogContext,
    ComputeIOType,
    LocalComputeLogManager,
    redirect_to_file,
)
from orchestration.dagster_internals.configuration import ConfigurableClassData
from orchestration.settings import Settings


class DirectComputeLogManager(LocalComputeLogManager):
    """Configured in dagster.yaml; what ops print goes into the files that the UI shows."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> Self:
        folder = Settings().folders.dagster / "storage"
        return cls(base_dir=str(folder), inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        is_done = False
        try:
            with (
                redirect_to_file(sys.stdout, self._file(log_key, ComputeIOType.STDOUT)),
                redirect_to_file(sys.stderr, self._file(log_key, ComputeIOType.STDERR)),
            ):
                yield CapturedLogContext(log_key)
                is_done = True
        except OSError as error:  # a pipeline has closed the files of the log; it was told so
            if not is_done or error.errno != errno.EBADF:
                raise
        complete = self.complete_artifact_path(log_key)  # type: ignore[no-untyped-call] # dagster's
        Path(complete).touch()

    def get_captured_local_path(
        self,
        log_key: Sequence[str],
        extension: str,
        partial: bool = False,  # noqa: FBT001, FBT002 - Dagster's signature
    ) -> str:
        """Where a log lies, or a picture that the UI shows: the webserver asks here for both."""
        parts = [*log_key, extension]
        if is_picture(parts):
            return str(picture_path(Settings().folders, parts))
        path: str = super().get_captured_local_path(log_key, extension, partial)
        return path

    def _file(self, log_key: Sequence[str], kind: ComputeIOType) -> str:
        path = self.get_captured_local_path(log_key, IO_TYPE_EXTENSION[kind])
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        return path
