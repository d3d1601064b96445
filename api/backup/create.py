"""Takes a backup, whether the stack runs or not."""

import os
import shutil
import sqlite3
import stat
from contextlib import closing, suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import URL

from api.backup import postgresql
from api.backup.contents import databases, files, never_changes
from api.backup.errors import BackupError
from api.backup.manifest import File, Manifest, now, read_manifest, write_manifest
from contracts.beneath import open_beneath
from contracts.database import is_postgresql
from contracts.home import Home

_BUSY_SECONDS = 60.0


def create_backup(home: Home, url: URL, target: Path, previous: Path | None = None) -> Manifest:
    """Copies the databases, then the files, then writes the manifest into the new folder `target`.

    What never changes is linked where it can be: to the home's own file on the same file system,
    else to the same file of the `previous` backup. Raises BackupError and OSError.
    """
    _check(home, url, target)
    earlier = _Earlier(previous, read_manifest(previous).files) if previous else _Earlier()
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    created_at = now()
    dump, copied = None, {}
    if is_postgresql(url):
        postgresql.dump(url, target / postgresql.DUMP)
        dump = File.of(target / postgresql.DUMP)
    else:
        for path in databases(home.root):
            with suppress(FileNotFoundError):  # a job was deleted meanwhile
                _copy_database(home.root / path, _place(target, path))
                copied[path.as_posix()] = File.of(target / path)
    for path in files(home.root):
        with suppress(FileNotFoundError):  # a job was deleted meanwhile
            copied[path.as_posix()] = _store(home.root, path, target, earlier)
    manifest = Manifest(
        created_at=created_at,
        framegate=version("framegate"),
        database="postgresql" if dump else "sqlite",
        dump=dump,
        files=copied,
    )
    write_manifest(target, manifest)
    return manifest


@dataclass(frozen=True)
class _Earlier:
    """The backup before this one."""

    folder: Path | None = None
    files: dict[str, File] = field(default_factory=dict)

    def same(self, path: Path, source: Path) -> Path | None:
        """Its copy of a file that was not replaced since."""
        if self.folder is None or path.as_posix() not in self.files:
            return None
        there, here = (self.folder / path).stat(), source.stat()
        same = (there.st_size, there.st_mtime_ns) == (here.st_size, here.st_mtime_ns)
        return self.folder / path if same else None


def _check(home: Home, url: URL, target: Path) -> None:
    if not is_postgresql(url) and Path(url.database or "") != home.database:
        raise BackupError(
            f"The keys are in {url.database}, outside the home.",
            hint="Copy that database by its own means; unset FRAMEGATE_DATABASE_URL for the rest.",
        )
    if not home.root.is_dir():
        raise BackupError(f"{home.root} is no home.", hint="Name one with --home.")
    if target.resolve().is_relative_to(home.root):
        raise BackupError(f"{target} lies in the home itself.", hint="Choose a folder elsewhere.")
    if target.exists() and any(target.iterdir()):
        raise BackupError(f"{target} is not empty.", hint="Each backup has a folder of its own.")


def _copy_database(source: Path, target: Path) -> None:
    """One moment of it, while others write. Raises FileNotFoundError, leaving nothing."""
    address = f"{source.as_uri()}?mode=rw"
    try:
        with (
            closing(sqlite3.connect(address, uri=True, timeout=_BUSY_SECONDS)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        if not source.exists():
            target.unlink(missing_ok=True)
            raise FileNotFoundError(source) from error
        raise BackupError(
            f"{source} cannot be copied: {error}.",
            hint="Check the disk that the backup goes to, and the file: `framegate doctor`.",
        ) from error


def _store(root: Path, path: Path, target: Path, earlier: _Earlier) -> File:
    source, place = root / path, _place(target, path)
    if never_changes(path):
        if _linked(source, place):
            return File.of(place)
        if (same := earlier.same(path, source)) and _linked(same, place):
            return earlier.files[path.as_posix()]
    _copy(root, path, place)
    return File.of(place)


def _copy(root: Path, path: Path, place: Path) -> None:
    """With its times. A link that has taken the file's place meanwhile is not followed."""
    with (
        os.fdopen(open_beneath(root, path), "rb") as content,
        place.open("wb", buffering=0) as copy,
    ):
        shutil.copyfileobj(content, copy)
        status = os.fstat(content.fileno())
        os.utime(copy.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))
        os.fchmod(copy.fileno(), stat.S_IMODE(status.st_mode))


def _linked(source: Path, place: Path) -> bool:
    """Whether one could be made: on one file system, where it knows hard links."""
    try:
        os.link(source, place, follow_symlinks=False)
    except FileNotFoundError:
        raise
    except OSError:
        return False
    return True


def _place(target: Path, path: Path) -> Path:
    place = target / path
    place.parent.mkdir(parents=True, exist_ok=True)
    return place
