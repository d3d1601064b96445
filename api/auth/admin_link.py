"""The link that signs in the person who runs Framegate on this machine."""

from datetime import UTC, datetime

from api.auth.keys import list_keys
from api.auth.links import create_link
from api.auth.roles import Role
from api.database.database import open_current_database
from api.settings import Settings
from contracts.door import DAGSTER_PREFIX


def admin_link(settings: Settings, url: str) -> str | None:
    """Signs in with the oldest valid admin key; None if there is none. `url` is the API's own.

    Without authentication, the UI needs no signing in.
    """
    if settings.auth == "off":
        return f"{url}{DAGSTER_PREFIX}/"
    database = open_current_database(settings.database)
    try:
        now = datetime.now(UTC).replace(tzinfo=None)
        admins = (key for key in list_keys(database) if key.role is Role.ADMIN)
        key = next((key for key in admins if key.is_valid(now)), None)
    finally:
        database.close()
    return create_link(settings.paths, url, key.id) if key else None
