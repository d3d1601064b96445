"""Delivers what the outbox holds: targets side by side, each one's messages in their order.

At least once: a message may come twice, with the same `webhook-id`. A target that does not answer
is left alone until its oldest message is due again; nobody else waits for it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import httpx

from contracts.webhook import Target, signed_headers
from orchestration.webhooks.backoff import after_failure, is_hopeless
from orchestration.webhooks.outbox import Entry, Outbox

#: All of one attempt: connecting, sending, and the answer's headers.
ATTEMPT_SECONDS = 10.0
_AT_ONCE = 16
#: How many of a target's messages one round tries: a receiver that refuses them all is not to cost
#: more than this.
_MOST_ATTEMPTS = 200
#: Answers that say "not now" rather than "not this".
_NOT_NOW = frozenset({408, 425, 429})
_SERVER_ERROR = 500
#: A proxy is for other machines.
_NO_PROXY = {"all://127.0.0.1": None, "all://localhost": None}
_REMOVED = "The target was removed."

logger = logging.getLogger("framegate.webhooks")


class UndeliveredError(Exception):
    """The receiver did not take the message; `is_silent` if it would take no other now, too."""

    def __init__(self, message: str, *, is_silent: bool) -> None:
        super().__init__(message)
        self.is_silent = is_silent


@dataclass
class Count:
    """What one round came to."""

    delivered: int = 0
    put_off: int = 0
    given_up: int = 0

    def __str__(self) -> str:
        parts = {
            "delivered": self.delivered,
            "to be tried again": self.put_off,
            "given up": self.given_up,
        }
        return ", ".join(f"{number} {what}" for what, number in parts.items() if number)


def deliver(outbox: Outbox, targets: Sequence[Target], *, budget_seconds: float) -> Count:
    """One round; returns when nothing is due any more, or the budget is spent."""
    count = Count()
    names = outbox.targets()
    if names:
        known = {target.name: target for target in targets}
        asyncio.run(_deliver(outbox, names, known, count, time.monotonic() + budget_seconds))
    return count


async def _deliver(
    outbox: Outbox,
    names: Sequence[str],
    targets: Mapping[str, Target],
    count: Count,
    deadline: float,
) -> None:
    slots = asyncio.Semaphore(_AT_ONCE)
    async with httpx.AsyncClient(
        timeout=ATTEMPT_SECONDS, follow_redirects=False, mounts=_NO_PROXY
    ) as client:
        delivery = _Delivery(outbox, client, count, deadline)

        async def serve(name: str) -> None:
            async with slots:
                await delivery.serve(name, targets.get(name))

        await asyncio.gather(*(serve(name) for name in names))


@dataclass(frozen=True)
class _Delivery:
    """One round; `deadline` is on the monotonic clock."""

    outbox: Outbox
    client: httpx.AsyncClient
    count: Count
    deadline: float

    async def serve(self, name: str, target: Target | None) -> None:
        """All that is due for one target, until it falls silent."""
        attempts = 0
        for entry in self.outbox.entries(name):
            now = time.time()
            if target is None:
                self._give_up(entry, _REMOVED)
            elif entry.next_attempt_at > now:
                if entry.is_silent:
                    break
            elif attempts < _MOST_ATTEMPTS and await self._attempt(entry, target, now):
                attempts += 1
            else:
                break
        self.outbox.forget_failed(name)

    async def _attempt(self, entry: Entry, target: Target, now: float) -> bool:
        """Whether the target answers and there is time left: then the next message may be tried."""
        if time.monotonic() + ATTEMPT_SECONDS > self.deadline:
            return False
        try:
            await send(self.client, target, entry)
        except UndeliveredError as error:
            chance = random.random()  # noqa: S311 - no secret
            later = after_failure(entry, str(error), now, is_silent=error.is_silent, chance=chance)
            self._put_off(later, now)
            if later.is_silent and is_hopeless(later, now):
                self._put_off_rest(later, now)
            return not error.is_silent
        self.outbox.remove(entry)
        self.count.delivered += 1
        return True

    def _put_off(self, entry: Entry, now: float) -> None:
        """With the attempt that failed in it."""
        if is_hopeless(entry, now):
            self._give_up(entry, entry.failure or "")
            return
        self.outbox.put_off(entry)
        self.count.put_off += 1

    def _put_off_rest(self, last: Entry, now: float) -> None:
        """The target has been silent for a day: so it was to all that waited behind the last
        message, and the first one that has not waited so long is tried when that one had been.
        """
        for entry in self.outbox.entries(last.target):
            behind = replace(
                entry,
                attempts=last.attempts,
                next_attempt_at=last.next_attempt_at,
                failure=last.failure,
                is_silent=True,
            )
            self._put_off(behind, now)
            if not is_hopeless(behind, now):
                return

    def _give_up(self, entry: Entry, reason: str) -> None:
        logger.warning(
            "webhook given up",
            extra={"target": entry.target, "webhook_id": entry.message_id, "reason": reason},
        )
        self.outbox.give_up(replace(entry, failure=reason))
        self.count.given_up += 1


async def send(client: httpx.AsyncClient, target: Target, entry: Entry) -> None:
    """Raises UndeliveredError. Of the answer only the status is read."""
    body = entry.body.encode()
    headers = signed_headers(target.secret, entry.message_id, int(time.time()), body)
    headers |= {"content-type": "application/json", "user-agent": "framegate-webhooks"}
    try:
        async with (
            asyncio.timeout(ATTEMPT_SECONDS),
            client.stream("POST", target.url, content=body, headers=headers) as response,
        ):
            status = response.status_code
    except TimeoutError as error:
        raise UndeliveredError("No answer in time.", is_silent=True) from error
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UndeliveredError(reason, is_silent=True) from error
    if not httpx.codes.is_success(status):
        is_silent = status >= _SERVER_ERROR or status in _NOT_NOW
        raise UndeliveredError(f"The receiver answers {status}.", is_silent=is_silent)
