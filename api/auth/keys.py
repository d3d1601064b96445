"""API keys: made, listed, revoked and verified. A secret is shown once and never stored.

A secret has 256 random bits, so a plain SHA-256 of it cannot be guessed back, and a slow hash
would only slow down every request.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from api.auth.roles import Principal, Role
from api.database.database import ApiKey, Database
from api.errors import InvalidRequestError, NotFoundError
from contracts import patterns
from contracts.database import is_postgresql

PREFIX = "fg_"

#: Any number that no other lock in the database has.
_LOCK = 0x66726D67_6B657973
_NAME = re.compile(patterns.OWNER)
_SECRET = re.compile(r"[A-Za-z0-9_.\-]{8,256}")


@dataclass(frozen=True)
class KeyRecord:
    """A key without its secret. Times are UTC without a zone, as stored."""

    id: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    def is_valid(self, moment: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or moment < self.expires_at)

    @property
    def principal(self) -> Principal:
        return Principal(self.name, self.role)


def create_key(
    database: Database, *, role: Role, name: str, expires_at: datetime | None = None
) -> tuple[KeyRecord, str]:
    """A new key and its secret. Raises InvalidRequestError.

    The name is what jobs remember as their owner, so no two valid keys share one.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequestError(
            "A key's name has 1 to 100 letters, digits and . _ @ -, and begins with one of the "
            "first two.",
            field="name",
        )
    expiry = _expiry(expires_at)
    with _adding(database) as session:
        return _insert_key(session, role=role, name=name, expires_at=expiry)


def ensure_first_admin_key(database: Database) -> str | None:
    """The secret of a new admin key where there has never been one, else None."""
    with _adding(database) as session:
        if session.scalar(select(ApiKey.id).where(ApiKey.role == Role.ADMIN).limit(1)):
            return None
        _key, secret = _insert_key(session, role=Role.ADMIN, name="admin", expires_at=None)
        return secret


def list_keys(database: Database) -> list[KeyRecord]:
    """Oldest first, the revoked ones too."""
    with database.read() as session:
        return [_record(key) for key in session.scalars(select(ApiKey).order_by(ApiKey.created_at))]


def revoke_key(database: Database, key_id: str) -> KeyRecord:
    """Revoking a revoked key changes nothing. Raises NotFoundError."""
    with database.write() as session:
        key = session.get(ApiKey, key_id)
        if key is None:
            raise NotFoundError(f"There is no key {key_id[:64]!r}.")
        key.revoked_at = key.revoked_at or _now()
        return _record(key)


def find_key(database: Database, secret: str) -> KeyRecord | None:
    """The key that `secret` belongs to, valid or not."""
    if not _SECRET.fullmatch(secret):
        return None
    digest = hash_secret(secret)
    with database.read() as session:
        key = session.scalar(select(ApiKey).where(ApiKey.secret_hash == digest))
    # The index finds a digest, from which no secret can be approached step by step; comparing
    # in constant time keeps this true whatever the database's collation does.
    if key is None or not hmac.compare_digest(key.secret_hash, digest):
        return None
    return _record(key)


def get_key(database: Database, key_id: str) -> KeyRecord | None:
    """The key with this id, valid or not."""
    with database.read() as session:
        key = session.get(ApiKey, key_id)
        return _record(key) if key else None


def hash_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


@contextmanager
def _adding(database: Database) -> Iterator[Session]:
    """A transaction during which nobody else adds a key: PostgreSQL would let two find the same
    name free.
    """
    with database.write() as session:
        if is_postgresql(database.url):
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        yield session


def _expiry(moment: datetime | None) -> datetime | None:
    try:
        return _utc(moment) if moment else None
    except OverflowError as error:
        raise InvalidRequestError("The expiry time is out of range.", field="expires_at") from error


def _insert_key(
    session: Session, *, role: Role, name: str, expires_at: datetime | None
) -> tuple[KeyRecord, str]:
    moment = _now()
    namesakes = session.scalars(select(ApiKey).where(ApiKey.name == name))
    if any(_record(key).is_valid(moment) for key in namesakes):
        raise InvalidRequestError(
            f"There is a key named {name!r} already.",
            field="name",
            hint="Choose another name, or revoke that key first.",
        )
    secret = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        id=secrets.token_hex(8),
        name=name,
        role=role.value,
        secret_hash=hash_secret(secret),
        created_at=moment,
        expires_at=expires_at,
        revoked_at=None,
    )
    session.add(key)
    return _record(key), secret


def _record(key: ApiKey) -> KeyRecord:
    return KeyRecord(
        id=key.id,
        name=key.name,
        role=Role(key.role),
        created_at=key.created_at,
        expires_at=key.expires_at,
        revoked_at=key.revoked_at,
    )


def _now() -> datetime:
    return _utc(datetime.now(UTC))


def _utc(moment: datetime) -> datetime:
    """As the database stores it: in UTC and without a zone."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
