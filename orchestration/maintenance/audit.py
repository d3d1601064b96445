"""The audit log of retention: a JSON line for everything that was deleted, written before it is."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.timestamps import now
from orchestration.maintenance.retention_plan import Removal

#: Some hundred thousand lines; the file before is kept as well, under the same name and `.1`.
_MOST_BYTES = 64 * 1024**2


@dataclass(frozen=True)
class AuditLog:
    """`run_id` is the sweep, `by` who started it."""

    path: Path
    run_id: str
    by: str
    dry_run: bool

    def write(self, *removals: Removal, error: str | None = None) -> None:
        """On the disk when this returns; `error` says that it could not be deleted after all."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._rotate()
        with self.path.open("a") as file:
            file.writelines(f"{json.dumps(self._line(each, error))}\n" for each in removals)
            file.flush()
            os.fsync(file.fileno())

    def _rotate(self) -> None:
        if self.path.exists() and self.path.stat().st_size > _MOST_BYTES:
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))

    def _line(self, removal: Removal, error: str | None) -> dict[str, Any]:
        line = {
            "at": now(),
            "sweep": self.run_id,
            "by": self.by,
            "dry_run": self.dry_run,
            "what": removal.what,
            "name": removal.name,
            "bytes": removal.size_bytes,
            "why": removal.why,
        }
        return {**line, "error": error} if error else line
