"""What a check found."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True)
class Result:
    """`passed` is None where there is nothing to judge, as for speeds, or no GPU to judge by."""

    check: str
    said: str
    passed: bool | None = None
    numbers: Mapping[str, float | int | str | None] = field(default_factory=dict)


#: A check by its name, to be called in turn; one that raises hides no other.
Check: TypeAlias = tuple[str, Callable[[], Iterable[Result]]]
