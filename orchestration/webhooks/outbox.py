"""What is to be delivered, one file each: there before delivery is tried, gone when it worked."""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from contracts.home import Home
from contracts.json_file import read_json, write_json

logger = logging.getLogger("framegate.webhooks")

_FAILED_SECONDS = 30 * 24 * 3600.0


@dataclass(frozen=True)
class Entry:
    """A message to one target. Times are in seconds since the epoch.

    `name` sorts by the job's end; `attempts` is how many failed, `failure` why the last one did,
    and `is_silent` whether the target would not have taken any other message then either.
    """

    name: str
    target: str
    message_id: str
    body: str
    announced_at: float
    attempts: int = 0
    next_attempt_at: float = 0.0
    failure: str | None = None
    is_silent: bool = False


@dataclass(frozen=True)
class Outbox:
    home: Home

    def add(self, entry: Entry) -> None:
        """On the disk when this returns. Adding what is there already changes nothing: its attempts
        are remembered.
        """
        path = self._path(entry)
        if not path.exists():
            write_json(path, asdict(entry), to_disk=True)

    def targets(self) -> list[str]:
        """Those that something is to be delivered to."""
        folder = self.home.webhook_outbox
        return sorted(path.name for path in folder.iterdir()) if folder.exists() else []

    def entries(self, target: str) -> Iterator[Entry]:
        """Oldest first, each read when it is needed. An unreadable file is set aside."""
        for path in sorted((self.home.webhook_outbox / target).glob("[!.]*.json")):
            if entry := _entry(read_json(path)):
                yield entry
            else:
                self._set_aside(path)

    def put_off(self, entry: Entry) -> None:
        write_json(self._path(entry), asdict(entry))

    def remove(self, entry: Entry) -> None:
        self._path(entry).unlink(missing_ok=True)
        with suppress(OSError):  # others wait
            self._path(entry).parent.rmdir()

    def give_up(self, entry: Entry) -> None:
        """Keeps it with its reason, where a person may look."""
        write_json(self.home.failed_webhooks / entry.target / entry.name, asdict(entry))
        self.remove(entry)

    def forget_failed(self, target: str) -> None:
        """What was given up long ago."""
        for path in (self.home.failed_webhooks / target).glob("[!.]*.json"):
            if path.stat().st_mtime < time.time() - _FAILED_SECONDS:
                path.unlink(missing_ok=True)

    def _set_aside(self, path: Path) -> None:
        kept = self.home.failed_webhooks / path.parent.name / path.name
        kept.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # it was delivered meanwhile
            path.replace(kept)
            logger.error("a webhook in the outbox cannot be read", extra={"kept": str(kept)})

    def _path(self, entry: Entry) -> Path:
        return self.home.webhook_outbox / entry.target / entry.name


def _entry(value: Mapping[str, object] | None) -> Entry | None:
    try:
        return Entry(**value) if value else None  # type: ignore[arg-type] # written by `add` alone
    except TypeError:
        return None
