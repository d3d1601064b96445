"""How the door tells Dagster's webserver who asks: headers that the door alone may set.

The webserver listens on a Unix socket that only the account of the stack can open, so a request
without these headers comes from Framegate itself.
"""

from contracts.run import OWNER_TAG

#: Where the API serves the Dagster UI, and what the webserver's own addresses begin with.
DAGSTER_PREFIX = "/dagster"
#: The name of the API key whose owner asks.
USER_HEADER = "framegate-user"
#: Whether that person may change anything: "write" or "read".
ACCESS_HEADER = "framegate-access"
READ, WRITE = "read", "write"
#: The tag that the Dagster UI reads for "Launched by".
LAUNCHED_BY_TAG = "user"


def launch_tags(user: str) -> dict[str, str]:
    """What says on a run who launched it."""
    return {OWNER_TAG: user, LAUNCHED_BY_TAG: user}
