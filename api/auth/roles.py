"""Who may do what: four roles, each allowed all that the one before it is."""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Readers look, annotators submit and change jobs of their own, engineers do everything in
    Dagster and with all jobs, admins manage keys as well.
    """

    READER = "reader"
    ANNOTATOR = "annotator"
    ENGINEER = "engineer"
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
        """Whether a job of `owner` may be cancelled or deleted; engineers may change all jobs."""
        return self.role.includes(Role.ENGINEER) or (
            self.role is Role.ANNOTATOR and owner == self.name
        )


#: Who everybody is while authentication is off.
LOCAL = Principal("local", Role.ADMIN)
