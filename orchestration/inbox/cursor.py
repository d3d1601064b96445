"""How far the inbox has been looked through: a few numbers per folder, however many files it has.

A file that has been dealt with stays where it is. What was dealt with is therefore known by a
watermark: every file whose moment is not beyond `settled`, but for the few that `wait`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from pydantic import BaseModel, Field, ValidationError

from orchestration.inbox.clock import Clock
from orchestration.inbox.entry import ChangeTime

MAX_WAITING = 100
#: Folders that are not looked at now: their presets are broken, or the inbox was elsewhere.
_MOST_ABSENT = 50


@dataclass(frozen=True)
class HighWaterMark:
    settled: ChangeTime = (0, 0)
    waiting: frozenset[ChangeTime] = field(default_factory=frozenset)

    def is_settled(self, moment: ChangeTime) -> bool:
        return moment <= self.settled and moment not in self.waiting


class Cursor(BaseModel):
    """`marks` are by the folder's path. `clock` is of the last look. Results of runs that ended
    before `linked_until`, in seconds since the epoch, are linked.
    """

    marks: dict[str, HighWaterMark] = Field(default_factory=dict)
    clock: Clock | None = None
    linked_until: float = 0.0

    @classmethod
    def read(cls, text: str | None) -> Self:
        """Whatever cannot be read is looked through anew: run keys see to it that nothing runs
        twice.
        """
        try:
            return cls.model_validate_json(text or "{}")
        except ValidationError:
            return cls()

    def write(self) -> str:
        return self.model_dump_json()

    def set_marks(self, marks: Mapping[str, HighWaterMark]) -> None:
        """Those of absent folders are kept, the latest of them, for when the folder is back."""
        absent = sorted(
            ((path, mark) for path, mark in self.marks.items() if path not in marks),
            key=lambda each: each[1].settled,
        )
        self.marks = {**dict(absent[-_MOST_ABSENT:]), **marks}
