"""The settings of this machine's Framegate, from the environment and the command line."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from api.cli.errors import UsageError
from api.settings import Settings


def read_settings(
    *,
    home: Path | None = None,
    host: str | None = None,
    port: int | None = None,
    database_url: str | None = None,
) -> Settings:
    """What is given here goes before the environment. Raises UsageError."""
    options = {
        "home": home,
        "host": host,
        "port": port,
        "database_url": database_url,
    }
    given: dict[str, Any] = {key: value for key, value in options.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        where = f"FRAMEGATE_{name.upper()}: " if name else ""
        raise UsageError(f"{where}{problem['msg'].removeprefix('Value error, ')}.") from error
