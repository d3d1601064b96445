"""`framegate backup` and `framegate restore`: on the machine itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.markup import escape

from api.backup.create import create_backup
from api.backup.errors import BackupError
from api.backup.manifest import Manifest
from api.backup.restore import restore_backup
from api.cli.errors import CommandError
from api.cli.settings import read_settings
from api.cli.terminal import notes, print_json
from contracts.database import parse_url


def backup(home: Path | None, target: Path, previous: Path | None, *, as_json: bool) -> None:
    settings = read_settings(home=home)
    with _explained():
        manifest = create_backup(settings.paths, parse_url(settings.database), target, previous)
    _tell(manifest, f"Backed up {settings.paths.root} to {target}", as_json=as_json)


def restore(home: Path | None, source: Path, *, as_json: bool) -> None:
    settings = read_settings(home=home)
    with _explained():
        manifest = restore_backup(source, settings.paths, parse_url(settings.database))
    told = f"Restored {settings.paths.root} as it was at {manifest.created_at:%Y-%m-%d %H:%M} UTC"
    _tell(manifest, told, as_json=as_json)


def _tell(manifest: Manifest, what: str, *, as_json: bool) -> None:
    facts = manifest.model_dump(mode="json", exclude={"files", "dump"})
    if as_json:
        print_json({**facts, "files": len(manifest.files), "bytes": manifest.total_bytes})
    else:
        size = manifest.total_bytes / 1000**2
        notes().print(f"{escape(what)}; files: {len(manifest.files)}, {size:,.1f} MB.")


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except BackupError as error:
        raise CommandError(error.message, hint=error.hint, code="BACKUP") from error
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}.", code="BACKUP") from error
