"""The audit log: who did what, one JSON line for each action, only ever appended to."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contracts.timestamps import now


@dataclass(frozen=True)
class AuditLog:
    """`path` is `Home.audit`. Several processes may write to it at once."""

    path: Path

    def write(
        self,
        action: str,
        *,
        by: str,
        address: str | None = None,
        request_id: str | None = None,
        **detail: Any,
    ) -> None:
        """The line is on the disk when this returns. `by` is the name of the key, `address` where
        its owner called from. Raises OSError.
        """
        line = {
            "at": now(),
            "action": action,
            "by": by,
            "address": address,
            "request_id": request_id,
            **detail,
        }
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        file = os.open(self.path, flags, 0o600)
        try:
            # One write: lines of several processes are never mixed.
            os.write(file, f"{json.dumps(line)}\n".encode())
            os.fsync(file)
        finally:
            os.close(file)
