"""What tests put into a home, and what they find in it."""

from pathlib import Path

from sqlalchemy import URL

from api.auth.keys import create_key, list_keys
from api.auth.roles import Role
from api.database.database import open_database
from contracts.database import parse_url
from contracts.home import Home

MEDIA = "ab" + 62 * "0"
RUN = "0b0f8a44-5a8e-4a4e-8a4e-0b0f8a445a8e"


def url_of(home: Home) -> URL:
    """The SQLite database in a home."""
    return parse_url(f"sqlite:///{home.database}")


def add_key(url: URL) -> None:
    database = open_database(url.render_as_string(hide_password=False))
    create_key(database, role=Role.READER, name="alice", expires_at=None)
    database.close()


def key_names(url: URL) -> list[str]:
    database = open_database(url.render_as_string(hide_password=False))
    names = [record.name for record in list_keys(database)]
    database.close()
    return names


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def files(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
