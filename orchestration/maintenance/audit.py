"""The audit log of retention: a JSON line for everything that was deleted, written before it is."""

import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from orchestration.maintenance.retention_plan import Removal


@dataclass(frozen=True)
class AuditLog:
    """`run_id` is the sweep, `by` who started it."""

    path: Path
    run_id: str
    by: str
    dry_run: bool

    def write(self, removal: Removal, error: str | None = None) -> None:
        """On the disk when this returns; `error` says that it could not be deleted after all."""
        line = {
            "at": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "sweep": self.run_id,
            "by": self.by,
            "dry_run": self.dry_run,
            "what": removal.what,
            "name": removal.name,
            "bytes": removal.size_bytes,
            "why": removal.why,
        }
        if error:
            line["error"] = error
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
