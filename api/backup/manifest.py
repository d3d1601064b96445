"""The list of a backup's files, written last: a folder without it is not a complete backup."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from api.backup.errors import BackupError
from contracts.sha256 import sha256_of

_NAME = "backup.json"


class File(BaseModel):
    size: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> "File":
        return cls(size=path.stat().st_size, sha256=sha256_of(path))


class Manifest(BaseModel):
    """`files` are keyed by their path in the home."""

    format: Literal[1] = 1
    created_at: datetime
    framegate: str
    database: Literal["sqlite", "postgresql"]
    #: The dump of PostgreSQL, which lies beside the files.
    dump: File | None = None
    files: dict[str, File]

    @property
    def total_bytes(self) -> int:
        return sum(file.size for file in (*self.files.values(), *filter(None, [self.dump])))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Makes a backup of what lies in the folder."""
    partial = folder / f"{_NAME}.partial"
    partial.write_text(manifest.model_dump_json(indent=1))
    os.sync()
    partial.rename(folder / _NAME)


def read_manifest(folder: Path) -> Manifest:
    """Raises BackupError where there is none: a backup that was cut short has no manifest."""
    try:
        return Manifest.model_validate_json((folder / _NAME).read_bytes())
    except FileNotFoundError:
        raise BackupError(
            f"{folder} is no backup, or one that was cut short: it has no {_NAME}.",
            hint="Choose another one.",
        ) from None
    except ValidationError as error:
        raise BackupError(
            f"{folder / _NAME} cannot be read: {error.errors()[0]['msg']}.",
            hint="It may be damaged, or of a newer Framegate.",
        ) from error


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
