"""Makes a home of a backup again: a whole one, or none."""

import shutil
from pathlib import Path

from sqlalchemy import URL

from api.backup import postgresql
from api.backup.errors import BackupError
from api.backup.manifest import File, Manifest, read_manifest
from api.stack.lock import find_running
from contracts.database import is_postgresql
from contracts.home import Home

#: Where files are collected and checked, in the home, so that they can be moved into place.
_STAGING = "restoring"
_MOST_NAMED = 5


def restore_backup(source: Path, home: Home, url: URL) -> Manifest:
    """Fills a home that does not exist or is empty. Raises BackupError and OSError.

    Every file is compared with the manifest before anything is put into place.
    """
    manifest = read_manifest(source)
    _check(manifest, home, url)
    staging = (home.root / _STAGING).resolve()
    shutil.rmtree(staging, ignore_errors=True)  # of a restore that was cut short
    staging.mkdir(mode=0o700, parents=True)
    try:
        _require_whole(_copy(source, manifest, staging))
        if manifest.dump:
            postgresql.restore(url, source / postgresql.DUMP)
        for entry in sorted(staging.iterdir()):
            entry.rename(home.root / entry.name)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    home.root.chmod(0o700)
    return manifest


def _check(manifest: Manifest, home: Home, url: URL) -> None:
    if running := find_running(home.run):
        raise BackupError(
            f"Framegate runs in {home.root}: process {running.pid}.",
            hint="Name a new home with --home.",
        )
    if home.root.exists() and any(entry.name != _STAGING for entry in home.root.iterdir()):
        raise BackupError(
            f"{home.root} is not empty, and nothing in it is overwritten.",
            hint="Name a new home with --home, or move this one away.",
        )
    if (manifest.database == "postgresql") != is_postgresql(url):
        needed = "an empty one" if manifest.database == "postgresql" else "none"
        raise BackupError(
            f"The backup's database is {manifest.database}.",
            hint=f"Set FRAMEGATE_DATABASE_URL to {needed}.",
        )


def _copy(source: Path, manifest: Manifest, staging: Path) -> list[str]:
    """Returns what is missing or is not as it was."""
    damaged = []
    if manifest.dump and not _is(source / postgresql.DUMP, manifest.dump):
        damaged.append(postgresql.DUMP)
    for name, file in manifest.files.items():
        place = staging / name
        if not place.resolve().is_relative_to(staging):
            return [name]
        place.parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_file():
            shutil.copy2(source / name, place)
        if not _is(place, file):
            damaged.append(name)
    return damaged


def _is(path: Path, file: File) -> bool:
    return path.is_file() and File.of(path) == file


def _require_whole(damaged: list[str]) -> None:
    if not damaged:
        return
    more = f" and {len(damaged) - _MOST_NAMED} more" if len(damaged) > _MOST_NAMED else ""
    raise BackupError(
        f"Missing or damaged: {', '.join(damaged[:_MOST_NAMED])}{more}.",
        hint="Nothing was restored. Choose another backup.",
    )
