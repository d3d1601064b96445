"""How often each client address has presented a wrong key lately."""

import time
from collections import OrderedDict, deque

_MAX_ADDRESSES = 10_000


class FailureCounter:
    """Allows `limit` failures within `window` seconds for each address, in bounded memory."""

    def __init__(self, *, limit: int = 20, window: float = 60.0) -> None:
        self._limit = limit
        self._window = window
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def retry_after(self, address: str) -> int:
        """Seconds until the address may try again; 0 if it may now."""
        moments = self._recent(address)
        if len(moments) < self._limit:
            return 0
        return max(1, round(moments[0] + self._window - time.monotonic()))

    def add(self, address: str) -> None:
        moments = self._recent(address)
        moments.append(time.monotonic())
        self._failures[address] = moments
        self._failures.move_to_end(address)
        if len(self._failures) > _MAX_ADDRESSES:
            self._failures.popitem(last=False)

    def _recent(self, address: str) -> deque[float]:
        moments = self._failures.get(address) or deque(maxlen=self._limit)
        horizon = time.monotonic() - self._window
        while moments and moments[0] < horizon:
            moments.popleft()
        return moments
