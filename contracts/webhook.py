"""Who is told when jobs end: the receivers of webhooks, and how a message to them is signed.

Keys are made by the API and by the command, messages are sent by orchestration: both read and
write targets here. Messages follow the Standard Webhooks specification (standardwebhooks.com).
"""

import base64
import hashlib
import hmac
import json
import math
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from contracts.atomic_file import replacing
from contracts.home import Home
from contracts.json_file import read_json

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with

_SECRET_BYTES = 32
_SHORTEST_SECRET = 24


@dataclass(frozen=True)
class Target:
    """A receiver. `owner` is the owner of the jobs that it hears of; None for all jobs.

    `key_id` is the key that it came with; times are in seconds since the epoch.
    """

    url: str
    secret: str = field(repr=False)
    owner: str | None = None
    key_id: str | None = None
    created_at: float | None = None
    expires_at: float | None = None

    @property
    def name(self) -> str:
        """Safe as a file's name; no key's name begins with an underscore."""
        return self.owner or "_everybody"

    @property
    def host(self) -> str:
        """What may be shown of the address: the rest of it may be a secret."""
        return host_of(self.url)

    def wants(self, owner: str | None, ended_at: float) -> bool:
        """Whether it hears of an owner's job that ended then, in seconds since the epoch."""
        if self.owner not in {None, owner}:
            return False
        return (self.created_at or 0.0) <= ended_at < (self.expires_at or math.inf)


def check_url(url: str) -> str:
    """Raises ValueError. Addresses of private networks are allowed: labs have their receivers
    there, and only administrators set them.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(url) > 2000:  # noqa: PLR2004 - as in the pattern
        raise ValueError("the URL of a webhook begins with http:// or https:// and names a host")
    if parts.username is not None or any(character.isspace() for character in url):
        raise ValueError("the URL of a webhook holds no user name and no space")
    _port = parts.port  # raises ValueError for an invalid port
    return url


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def check_secret(secret: str) -> str:
    """Raises ValueError."""
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError as error:
        raise ValueError("the secret of a webhook is base64 after `whsec_`") from error
    if not secret.startswith(SECRET_PREFIX) or len(key) < _SHORTEST_SECRET:
        raise ValueError(
            f"the secret of a webhook is `whsec_` and base64 of {_SHORTEST_SECRET} bytes"
        )
    return secret


def signed_headers(secret: str, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """What proves to the receiver who sent the message, and when."""
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }


def write_target(home: Home, target: Target) -> None:
    """Readable by nobody else: it holds a secret."""
    if not target.owner:
        raise ValueError("the target of everybody's jobs is a setting, not a file")
    path = home.webhook_target(target.owner)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with replacing(path) as temporary:
        temporary.touch(mode=0o600, exist_ok=False)
        temporary.write_text(json.dumps(asdict(target)))


def read_target(home: Home, owner: str) -> Target | None:
    return _target(read_json(home.webhook_target(owner)))


def read_targets(home: Home) -> list[Target]:
    """The targets of all keys; unreadable files are left out."""
    paths = sorted(home.webhook_targets.glob("[!.]*.json"))
    return [target for path in paths if (target := _target(read_json(path)))]


def remove_target(home: Home, owner: str, key_id: str) -> None:
    """Unless another key of that name has set its own since."""
    target = read_target(home, owner)
    if target and target.key_id == key_id:
        home.webhook_target(owner).unlink(missing_ok=True)


def _target(value: Mapping[str, object] | None) -> Target | None:
    try:
        return Target(**value) if value else None  # type: ignore[arg-type] # checked by its maker
    except TypeError:
        return None
