"""The config of a made-up pipeline that has a field of every kind."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, Field, field_validator


class Mode(StrEnum):
    FAST = "fast"
    EXACT = "exact"


class Item(BaseModel, extra="forbid"):
    name: Annotated[str, Field(min_length=1, max_length=5, description="What it is called")]
    weight: float = Field(1.0, gt=0)


class Circle(BaseModel, extra="forbid"):
    kind: Literal["circle"] = "circle"
    radius: float


class Square(BaseModel, extra="forbid"):
    kind: Literal["square"] = "square"
    side: float


class Detection(BaseModel, extra="forbid"):
    threshold: float = Field(0.5, ge=0.0, le=1.0)


class Config(BaseModel, extra="forbid"):
    threshold: float = Field(0.5, ge=0.0, le=1.0)
    batch_size: int = Field(8, ge=1, le=64)
    device: Literal["auto", "cpu", "cuda"] = "auto"
    mode: Mode = Mode.FAST
    items: list[Item] = Field([], max_length=3)
    shape: Circle | Square | None = None
    tagged: Annotated[Circle | Square, Field(discriminator="kind")] | None = None
    number_or_text: int | str | None = None
    table: dict[str, int] = {}
    detection: Detection = Detection()
    pair: tuple[int, str] = (1, "a")
    enabled: bool = True
    even: int = 2
    odd: int = 1

    @field_validator("even")
    @classmethod
    def _is_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value

    @field_validator("odd")
    @classmethod
    def _is_odd(cls, value: int) -> int:
        return value if value % 2 else {"odd": 1}["even"]
