"""Who may do what: three roles, each allowed all that the one before it is."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    READER = "reader"
    ANNOTATOR = "annotator"
    ADMIN = "admin"

    def includes(self, other: "Role") -> bool:
        ranks = list(Role)
        return ranks.index(self) >= ranks.index(other)


@dataclass(frozen=True)
class Principal:
    """Who a request comes from; `name` is the owner that a job remembers."""

    name: str
    role: Role

    def may_change(self, owner: str | None) -> bool:
        """Whether a job of `owner` may be cancelled or deleted; admins may change all jobs."""
        return self.role is Role.ADMIN or (self.role is Role.ANNOTATOR and owner == self.name)


#: Who everybody is while authentication is off.
LOCAL = Principal("local", Role.ADMIN)
