"""Which web pages may make a browser change something here, and under which names we are called.

A page from elsewhere that is open in somebody's browser can post to this address: the headers
`Origin` and `Sec-Fetch-Site` tell. It can also call this address by a name of its own that leads
here (DNS rebinding): `Host` tells.
Sources: RFC 6454 (origins), the Fetch standard (`Origin`), W3C Fetch Metadata.
"""

import ipaddress
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from api.errors import ForbiddenError

_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._\-]+)(?::[0-9]{1,5})?")
#: What a browser says of a request that the address's own page, or the person, caused.
_OWN_SITES = (None, "same-origin", "none")
_UNKNOWN_HOST = "Use the IP address, or add the name to FRAMEGATE_ALLOWED_HOSTS."
_FOREIGN_PAGE = (
    "Behind a reverse proxy, set FRAMEGATE_PUBLIC_URL to the address that people open. "
    "A page of another address needs FRAMEGATE_CORS_ORIGINS, which opens the REST API alone."
)
_LOCAL_ONLY = "Use 127.0.0.1 or localhost, or turn authentication on."


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class OriginRules:
    """What is ours. Every check raises ForbiddenError.

    Attributes:
        names: the host names of this address, in lower case.
        public_origin: of the address behind a reverse proxy, else None.
        viewers: origins of other pages that may use the REST API with a key of their own.
        local_only: whether nobody but this machine may call, because authentication is off.
    """

    names: frozenset[str]
    public_origin: str | None = None
    viewers: frozenset[str] = frozenset()
    local_only: bool = False

    @classmethod
    def of(
        cls,
        *,
        host: str,
        public_url: str | None,
        allowed_hosts: Collection[str],
        cors_origins: Collection[str],
        local_only: bool,
    ) -> "OriginRules":
        public = urlsplit(public_url) if public_url else None
        names = {host, socket.gethostname(), (public.hostname or "") if public else ""}
        return cls(
            names=frozenset(name.lower() for name in (*names, *allowed_hosts) if name),
            public_origin=f"{public.scheme}://{public.netloc}".lower() if public else None,
            viewers=frozenset(cors_origins),
            local_only=local_only,
        )

    def check_page(self, headers: Headers, scheme: str) -> None:
        """For what only our own pages may do, such as everything with a session."""
        host = self._check_host(headers)
        origin = headers.get("origin")
        if headers.get("sec-fetch-site") in _OWN_SITES and (
            origin is None or self._is_own(origin, scheme, host)
        ):
            return
        raise ForbiddenError("A page from another address may not do this.", hint=_FOREIGN_PAGE)

    def check_caller(self, headers: Headers, scheme: str) -> None:
        """For the REST API, which other pages may use as well if they are configured."""
        if headers.get("origin") in self.viewers:
            self._check_host(headers)
            return
        self.check_page(headers, scheme)

    def _check_host(self, headers: Headers) -> str:
        given = headers.getlist("host")
        match = _HOST.fullmatch(given[0]) if len(given) == 1 else None
        name = match[1].strip("[]").lower() if match else ""
        if self.local_only:
            known, hint = is_loopback(name), _LOCAL_ONLY
        else:
            known, hint = _is_address(name) or name in self.names, _UNKNOWN_HOST
        if not known:
            shown = given[0][:100] if given else ""
            raise ForbiddenError(f"Framegate does not answer to the name {shown!r}.", hint=hint)
        return given[0].lower()

    def _is_own(self, origin: str, scheme: str, host: str) -> bool:
        plain = {"ws": "http", "wss": "https"}.get(scheme, scheme)
        return origin.lower() in (f"{plain}://{host}", self.public_origin)


def _is_address(name: str) -> bool:
    """Nobody can make an IP address lead elsewhere, as they can a name of theirs."""
    if name == "localhost":
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
