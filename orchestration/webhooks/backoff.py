"""When a delivery that failed is tried again, and when no more. Pure."""

from dataclasses import replace

from orchestration.webhooks.outbox import Entry

_FIRST_SECONDS = 10.0
_LONGEST_SECONDS = 3600.0
_GIVE_UP_SECONDS = 24 * 3600.0
_JITTER = 0.2
_FAILURE_LENGTH = 500


def is_hopeless(entry: Entry, now: float) -> bool:
    """Whether it was tried for long enough: a day."""
    return entry.attempts > 0 and now - entry.announced_at > _GIVE_UP_SECONDS


def after_failure(
    entry: Entry, failure: str, now: float, *, is_silent: bool, chance: float
) -> Entry:
    """The entry with its next attempt: after 10 s, 20 s, 40 s and so on, at most an hour.

    `chance` from 0 to 1 spreads attempts by a fifth either way, so that a receiver that comes
    back is not met by all of them at once.
    """
    doubled = _FIRST_SECONDS * 2.0 ** min(entry.attempts, 20)
    pause = min(doubled, _LONGEST_SECONDS) * (1 - _JITTER + 2 * _JITTER * chance)
    return replace(
        entry,
        attempts=entry.attempts + 1,
        next_attempt_at=now + pause,
        failure=failure[:_FAILURE_LENGTH],
        is_silent=is_silent,
    )
