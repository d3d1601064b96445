"""A home and its database know each other by an id, so that one is not started with another's.

Started on an empty database by mistake, say without the setting that names PostgreSQL, a stack
would know no job, and a sweep would take all media for unused.
"""

from pathlib import Path
from secrets import token_hex

from sqlalchemy import select

from api.database.database import Database, Installation
from api.stack.errors import StackError
from contracts.database import shown
from contracts.home import Home


def require_own_database(home: Home, database: Database) -> None:
    """A home that has no database yet takes this one. Raises StackError."""
    file = home.installation
    known = _read(file)
    with database.write() as session:
        found = session.scalar(select(Installation.id))
        if known and found != known:
            raise StackError(
                f"The history of this home is not in {shown(database.url)}.",
                hint="Set FRAMEGATE_DATABASE_URL as it was, or copy the history with "
                f"`framegate db copy`. To begin anew, remove {file}.",
            )
        if found is None:
            found = token_hex(16)
            session.add(Installation(id=found))
    if known is None:
        _write(file, found)


def _read(file: Path) -> str | None:
    """None where there is no id, be it that there is no file or that it was cut off."""
    return file.read_text(errors="replace").strip() or None if file.exists() else None


def _write(file: Path, known: str) -> None:
    """Whole or not at all: an empty file would protect nothing."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.write_text(f"{known}\n")
    fresh.replace(file)
