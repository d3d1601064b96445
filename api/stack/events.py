"""What a stack tells while it runs. A terminal shows it, `--json` prints it line by line."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class AdminKeyCreated:
    """Only at the first start of a home; the key is never shown again."""

    key: str


@dataclass(frozen=True)
class PartReady:
    part: str
    seconds: float
    address: str | None = None


@dataclass(frozen=True)
class PartRestarting:
    """`ended` completes "the part ended …"."""

    part: str
    ended: str
    delay_seconds: float


@dataclass(frozen=True)
class StackReady:
    """`sign_in_url` opens the Dagster UI, once and soon; without it, `url` asks for a key."""

    home: str
    url: str
    sign_in_url: str | None
    seconds: float


@dataclass(frozen=True)
class StackStopping:
    pass


@dataclass(frozen=True)
class StackStopped:
    seconds: float


Event = AdminKeyCreated | PartReady | PartRestarting | StackReady | StackStopping | StackStopped
Report = Callable[[Event], None]
