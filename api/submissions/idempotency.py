"""Exactly one run for one `Idempotency-Key`, whatever crashes in between.

A record with a unique key is inserted first. It says which id the run will have, so whoever
launches for it, and however often, makes that one run: docs/decisions/0016-launches.md. A record
without a run id means: under way, or cut off.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import ColumnElement, delete, update
from sqlalchemy.exc import IntegrityError

from api.database.database import Database, IdempotencyRecord
from api.errors import IdempotencyMismatchError, InvalidRequestError

KEY_PATTERN = r"^[\x21-\x7e]{1,255}$"

_KEY = re.compile(KEY_PATTERN)
_FORGET_EVERY = timedelta(days=1)
_LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001 - as the database stores it
#: Any UUID: what the ids of launched runs are derived under.
_LAUNCHES = UUID("6b0a6c1e-33c4-4b5e-9d7a-2f0e8f4f6d11")


@dataclass(frozen=True)
class Claim:
    """The right to launch, or who has it.

    Attributes:
        attempt: shared by all who launch for this key, until the run that they made is deleted.
        claimed_at: since when this claim holds.
        run_id: the run that was launched for this key before.
        is_mine: whether the caller may launch; if not, somebody else is at it just now.
        is_first: whether nobody tried before; if not, there may be a run already.
    """

    owner: str
    key: str
    attempt: str
    claimed_at: datetime
    run_id: str | None = None
    is_mine: bool = False
    is_first: bool = False

    @property
    def launch_id(self) -> str:
        """The id of the run that is launched, by whomever."""
        return str(uuid5(_LAUNCHES, json.dumps([self.owner, self.key, self.attempt])))


def check_key(key: str) -> None:
    if not _KEY.fullmatch(key):
        raise InvalidRequestError(
            "Idempotency-Key has 1 to 255 printable ASCII characters without spaces.",
            field="Idempotency-Key",
        )


def fingerprint(request: Mapping[str, Any]) -> str:
    """Equal for requests that mean the same."""
    canonical = json.dumps(request, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


class IdempotencyRecords:
    """A claim that is older than `stale_after` seconds is shared with whoever asks next.
    `days` after its launch a key is forgotten, and whoever uses it again starts something new.
    """

    def __init__(self, database: Database, *, stale_after: float, days: int = 30) -> None:
        self._database = database
        self._stale_after = timedelta(seconds=stale_after)
        self._kept_for = timedelta(days=days)
        self._forgot_at: datetime | None = None

    def claim(self, owner: str, key: str, fingerprint: str) -> Claim:
        """Raises IdempotencyMismatchError if the key was used for something else."""
        self._forget_old()
        try:
            return self._claim(owner, key, fingerprint)
        except IntegrityError:  # PostgreSQL lets two insert at once, and one of them win
            return self._claim(owner, key, fingerprint)

    def take_over(self) -> None:
        """Frees every claim that is under way: the API starts, so whoever held one is gone. The
        next request with its key goes on with it.
        """
        with self._database.write() as session:
            session.execute(
                update(IdempotencyRecord)
                .where(IdempotencyRecord.run_id.is_(None))
                .values(claimed_at=_LONG_AGO)
            )

    def complete(self, claim: Claim, run_id: str) -> None:
        with self._database.write() as session:
            session.execute(
                update(IdempotencyRecord)
                .where(*_is_of(claim))
                .values(run_id=run_id, claimed_at=_now())
            )

    def release(self, claim: Claim) -> None:
        """Nothing was launched: the key is free again. Where others launch for it, too, it is for
        whoever asks next to go on.
        """
        held = (*_is_of(claim), IdempotencyRecord.claimed_at == claim.claimed_at)
        statement = (
            delete(IdempotencyRecord).where(*held)
            if claim.is_first
            else update(IdempotencyRecord).where(*held).values(claimed_at=_LONG_AGO)
        )
        with self._database.write() as session:
            session.execute(statement)

    def renew(self, claim: Claim) -> Claim:
        """The claim's run has been deleted: one of the callers that find out may launch again."""
        moment, attempt = _now(), token_hex(8)
        free = {"run_id": None, "attempt": attempt, "claimed_at": moment}
        with self._database.write() as session:
            renewed = session.execute(
                update(IdempotencyRecord)
                .where(*_is_of(claim), IdempotencyRecord.run_id == claim.run_id)
                .values(free)
                .returning(IdempotencyRecord.key)
            ).all()
        first = bool(renewed)
        return Claim(claim.owner, claim.key, attempt, moment, is_mine=first, is_first=first)

    def forget_run(self, run_id: str) -> None:
        """A job was deleted: nothing may be replayed for it."""
        with self._database.write() as session:
            session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.run_id == run_id))

    def _forget_old(self) -> None:
        """At the first claim after the start, and once a day; never one that is under way."""
        moment = _now()
        if self._forgot_at and moment - self._forgot_at < _FORGET_EVERY:
            return
        self._forgot_at = moment
        with self._database.write() as session:
            session.execute(
                delete(IdempotencyRecord).where(
                    IdempotencyRecord.run_id.is_not(None),
                    IdempotencyRecord.claimed_at < moment - self._kept_for,
                )
            )

    def _claim(self, owner: str, key: str, fingerprint: str) -> Claim:
        moment, attempt = _now(), token_hex(8)
        with self._database.write() as session:
            record = session.get(IdempotencyRecord, (owner, key), with_for_update=True)
            if record is None:
                session.add(
                    IdempotencyRecord(
                        owner=owner,
                        key=key,
                        fingerprint=fingerprint,
                        run_id=None,
                        attempt=attempt,
                        claimed_at=moment,
                    )
                )
                return Claim(owner, key, attempt, moment, is_mine=True, is_first=True)
            if record.fingerprint != fingerprint:
                raise IdempotencyMismatchError(
                    "This Idempotency-Key was used for another submission.",
                    hint="Use a new key for each new submission.",
                )
            # The clock may have been set back since: what lies in the future is of no use, either.
            if record.run_id or abs(moment - record.claimed_at) < self._stale_after:
                return Claim(owner, key, record.attempt, record.claimed_at, run_id=record.run_id)
            record.claimed_at = moment
            return Claim(owner, key, record.attempt, moment, is_mine=True)


def _now() -> datetime:
    """As the database stores it: UTC without a zone."""
    return datetime.now(UTC).replace(tzinfo=None)


def _is_of(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return (
        IdempotencyRecord.owner == claim.owner,
        IdempotencyRecord.key == claim.key,
        IdempotencyRecord.attempt == claim.attempt,
    )
