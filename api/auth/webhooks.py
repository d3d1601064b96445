"""The webhooks of API keys: who is told when the jobs of a key's owner end."""

from datetime import UTC, datetime

from api.auth.keys import KeyRecord
from api.errors import InvalidRequestError
from contracts.home import Home
from contracts.webhook import (
    Target,
    check_url,
    new_secret,
    read_targets,
    remove_target,
    write_target,
)


def check_webhook_url(url: str) -> None:
    """Raises InvalidRequestError."""
    try:
        check_url(url)
    except ValueError as error:
        raise InvalidRequestError(f"{error}.", field="webhook_url") from error


def add_webhook(home: Home, key: KeyRecord, url: str) -> str:
    """The secret that messages to the URL are signed with. It ends when the key does."""
    secret = new_secret()
    write_target(
        home,
        Target(
            url=url,
            secret=secret,
            owner=key.name,
            key_id=key.id,
            created_at=_seconds(key.created_at),
            expires_at=_seconds(key.expires_at) if key.expires_at else None,
        ),
    )
    return secret


def remove_webhook(home: Home, key: KeyRecord) -> None:
    remove_target(home, key.name, key.id)


def webhook_hosts(home: Home) -> dict[str, str]:
    """By the keys' ids: the rest of an address may be as good as a secret."""
    return {target.key_id: target.host for target in read_targets(home) if target.key_id}


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()
