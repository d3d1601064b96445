"""How many connections are open at once, and which of them makes room for a newcomer."""

import asyncio
from collections import OrderedDict

from api.stack.handles import allowed_handles

#: Half-sent heads of them all take 128 MB.
MOST_CONNECTIONS = 4096


class Connections:
    """Lets everybody in. Where more than `limit` are open, the one is cut whose client has left
    the next move, the rest of a request or a new one, undone for longest.

    Whoever sends a whole request is answered, then, however many others send half of one. The
    client's address says nothing: behind a proxy, all have the same.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waited_for: OrderedDict[asyncio.Transport, None] = OrderedDict()

    def admit(self, newcomer: asyncio.Transport, open_now: int) -> None:
        self.wait_for(newcomer)
        if open_now > self._limit:
            longest, _nothing = self._waited_for.popitem(last=False)
            longest.abort()

    def wait_for(self, transport: asyncio.Transport) -> None:
        """The next move is the client's, who has just made one."""
        self._waited_for[transport] = None
        self._waited_for.move_to_end(transport)

    def keep(self, transport: asyncio.Transport) -> None:
        """The next move is ours, or the connection is gone."""
        self._waited_for.pop(transport, None)


def affordable_connections() -> int:
    """Half of the file handles that this process may have: a request may need one for a file."""
    return min(MOST_CONNECTIONS, allowed_handles() // 2)
