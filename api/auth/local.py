"""What still protects an API whose authentication is off: it serves this machine alone.

A web page from elsewhere, open in a browser here, could post to it (its `Origin` tells), or read
from it under a name of its own that leads here (DNS rebinding: the `Host` tells).
"""

import ipaddress
from collections.abc import Collection, Mapping
from urllib.parse import urlsplit

from api.errors import ForbiddenError


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_local(headers: Mapping[str, str], allowed_origins: Collection[str]) -> None:
    """Raises ForbiddenError for a request that a page from elsewhere may have caused."""
    origin = headers.get("origin")
    from_here = origin is None or origin in allowed_origins or is_loopback(_host(origin))
    if from_here and is_loopback(_host(f"//{headers.get('host', '')}")):
        return
    raise ForbiddenError(
        "Authentication is off, so that only this machine itself may call.",
        hint="Call it as 127.0.0.1 or localhost, or switch authentication on.",
    )


def _host(address: str) -> str:
    """Empty for what is no address."""
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""
