"""From a presented secret to who it is: cached for a moment, and slowed down for guessers."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from anyio import to_thread

from api.auth.failures import FailureCounter
from api.auth.keys import KeyRecord, find_key, get_key, hash_secret
from api.auth.roles import LOCAL, Principal
from api.database.database import Database
from api.errors import RateLimitedError, UnauthorizedError

_HINT = "Send a key as `X-API-Key: fg_…` or `Authorization: Bearer fg_…`."
_MAX_CACHED = 1000


@dataclass(frozen=True)
class _Verified:
    record: KeyRecord
    checked_at: float


class Authenticator:
    """A key found valid is believed for `trust_seconds` without asking the database again, so
    a revocation takes effect within that time in every process.

    An address with too many wrong keys is refused unseen, except for keys known to be good:
    one broken client does not lock out its neighbours behind the same address.
    """

    def __init__(
        self,
        database: Database,
        *,
        enabled: bool,
        trust_seconds: float = 2.0,
        failures: FailureCounter | None = None,
    ) -> None:
        self._database = database
        self._enabled = enabled
        self._trust_seconds = trust_seconds
        self._failures = failures or FailureCounter()
        self._verified: dict[str, _Verified] = {}

    @property
    def enabled(self) -> bool:
        return self._enabled

    async def authenticate(self, secret: str | None, address: str) -> Principal:
        """Raises UnauthorizedError, RateLimitedError."""
        return (await self.find(secret, address)).principal if self._enabled else LOCAL

    async def find(self, secret: str | None, address: str) -> KeyRecord:
        """The valid key with this secret. Raises UnauthorizedError, RateLimitedError."""
        if not secret:
            raise UnauthorizedError("This needs an API key.", hint=_HINT)
        digest = hash_secret(secret)
        known = self._verified.get(digest)
        if known and time.monotonic() - known.checked_at < self._trust_seconds:
            record: KeyRecord | None = known.record
        else:
            self._refuse_guessers(address, known)
            record = await to_thread.run_sync(find_key, self._database, secret)
        if record is None or not record.is_valid(datetime.now(UTC).replace(tzinfo=None)):
            self._verified.pop(digest, None)
            self._failures.add(address)
            raise UnauthorizedError("This API key is not valid.", hint=_HINT)
        if not known or record is not known.record:
            self._remember(digest, record)
        return record

    async def find_by_id(self, key_id: str) -> KeyRecord:
        """The valid key that a session was opened with. Raises UnauthorizedError."""
        known = self._verified.get(key_id)
        if known and time.monotonic() - known.checked_at < self._trust_seconds:
            record: KeyRecord | None = known.record
        else:
            record = await to_thread.run_sync(get_key, self._database, key_id)
        if record is None or not record.is_valid(datetime.now(UTC).replace(tzinfo=None)):
            self._verified.pop(key_id, None)
            raise UnauthorizedError(
                "This session has ended: its key is no longer valid.", hint=_HINT
            )
        if not known or record is not known.record:
            self._remember(key_id, record)
        return record

    def _refuse_guessers(self, address: str, known: _Verified | None) -> None:
        if known:
            return
        if seconds := self._failures.retry_after(address):
            raise RateLimitedError(
                f"Too many wrong API keys; try again in {seconds} s.", retry_after=seconds
            )

    def _remember(self, digest: str, record: KeyRecord) -> None:
        if len(self._verified) >= _MAX_CACHED:
            self._verified.clear()
        self._verified[digest] = _Verified(record, time.monotonic())
