"""What each key may have of something at once, so that nobody takes what is there for all."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from api.errors import RateLimitedError


class Shares:
    """`limit` for each owner of a key; `what` is the plural that a refusal names."""

    def __init__(self, limit: int, what: str, *, retry_after: int) -> None:
        self._limit = limit
        self._what = what
        self._retry_after = retry_after
        self._held: Counter[str] = Counter()

    @contextmanager
    def hold(self, owner: str) -> Iterator[None]:
        """Raises RateLimitedError."""
        self.take(owner)
        try:
            yield
        finally:
            self.give_back(owner)

    def take(self, owner: str) -> None:
        """Raises RateLimitedError."""
        if self._held[owner] >= self._limit:
            raise RateLimitedError(
                f"A key may have {self._limit} {self._what} at once; "
                f"try again in {self._retry_after} s.",
                retry_after=self._retry_after,
            )
        self._held[owner] += 1

    def give_back(self, owner: str) -> None:
        self._held[owner] -= 1
        if not self._held[owner]:
            del self._held[owner]
