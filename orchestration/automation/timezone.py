"""By which clock schedules go."""

import os
from pathlib import Path
from zoneinfo import available_timezones

_LOCALTIME = Path("/etc/localtime")


def machine_timezone(localtime: Path = _LOCALTIME) -> str:
    """The IANA name of the machine's time zone; UTC where it does not say."""
    linked = str(localtime.resolve()).partition("/zoneinfo/")[2]
    known = available_timezones()
    named = (os.environ.get("TZ", "").removeprefix(":"), linked)
    return next((name for name in named if name in known), "UTC")
