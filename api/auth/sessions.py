"""Sessions of people who signed in with a key: a random token in a cookie, its hash in memory.

Sessions end when the API does: people then sign in again, and no disk holds what opens the UI.
Tokens rotate. A new token is handed out until the browser presents it; the one before stays good
for a moment, for requests under way. A token that is presented later than that was copied, and
ends the session (OWASP, "Session Management Cheat Sheet").
"""

import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from api.auth.keys import hash_secret

_MAX_SESSIONS = 1000


@dataclass(frozen=True)
class Presented:
    """A token that is good. `renewed` is what the browser should present from now on, if another.

    `key_id` is the key that the session was opened with, which may have been revoked since.
    """

    key_id: str
    renewed: str | None


@dataclass
class _Session:
    key_id: str
    opened_at: float
    used_at: float
    rotated_at: float
    current: str
    #: A token that was handed out and not presented yet.
    pending: str | None = None
    #: Hashes of earlier tokens, and when each was replaced.
    replaced: dict[str, float] = field(default_factory=dict)


class Sessions:
    """Bounded in number: the session that was used least recently makes room for a new one."""

    def __init__(
        self,
        *,
        rotate_seconds: float = 900.0,
        grace_seconds: float = 60.0,
        idle_seconds: float = 12 * 3600.0,
        life_seconds: float = 7 * 86_400.0,
    ) -> None:
        self._rotate = rotate_seconds
        self._grace = grace_seconds
        self._idle = idle_seconds
        self._life = life_seconds
        #: By the hash of their first token, in the order of their last use.
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        #: From the hash of any token of a session to that of its first.
        self._first: dict[str, str] = {}

    def open(self, key_id: str) -> str:
        """Opens a session for the owner of this key, and returns its first token."""
        token = secrets.token_urlsafe(32)
        digest, now = hash_secret(token), time.monotonic()
        self._sessions[digest] = _Session(key_id, now, now, now, digest)
        self._first[digest] = digest
        if len(self._sessions) > _MAX_SESSIONS:
            self._end(next(iter(self._sessions)))
        return token

    def present(self, token: str) -> Presented | None:
        """None for a token that is not valid."""
        digest, now = hash_secret(token), time.monotonic()
        first = self._first.get(digest)
        if first is None:
            return None
        session = self._sessions[first]
        copied = digest in session.replaced and now > session.replaced[digest] + self._grace
        if copied or now > min(session.opened_at + self._life, session.used_at + self._idle):
            self._end(first)
            return None
        session.used_at = now
        self._sessions.move_to_end(first)
        return Presented(session.key_id, self._renew(session, first, digest, now))

    def close(self, token: str) -> None:
        """Signs out."""
        if first := self._first.get(hash_secret(token)):
            self._end(first)

    def _renew(self, session: _Session, first: str, digest: str, now: float) -> str | None:
        if session.pending and digest == hash_secret(session.pending):
            session.replaced[session.current] = session.rotated_at = now
            session.current, session.pending = digest, None
        if digest != session.current:  # a request that was under way: the new token is on its way
            return session.pending
        if session.pending is None and now > session.rotated_at + self._rotate:
            session.pending = secrets.token_urlsafe(32)
            self._first[hash_secret(session.pending)] = first
        return session.pending

    def _end(self, first: str) -> None:
        session = self._sessions.pop(first)
        tokens = {session.current, *session.replaced}
        if session.pending:
            tokens.add(hash_secret(session.pending))
        for digest in tokens:
            del self._first[digest]
