"""Uses of the SDK that a type checker must reject: each comment says by which rule."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipelines.sdk import (
    Annotate,
    Findings,
    Media,
    OutputFormat,
    PipelineCard,
    Progress,
    ResultFile,
    Role,
    Stopwatch,
    audio,
    frames,
)


class Config(BaseModel):
    threshold: float = 0.5


def returns_nothing(media: Media, config: Any, folder: Path, progress: Progress) -> None: ...


def takes_no_progress(media: Media, _config: Any, folder: Path) -> Findings:
    (folder / "scenes.csv").write_text(media.seconds)  # type: ignore[attr-defined]
    return Findings(  # type: ignore[call-arg] # without timings
        count=1,
        noun="scenes",
        files=[ResultFile("scenes.csv", "annotations", "text/csv")],  # type: ignore[arg-type]
        device="cpu",
    )


def counts_in_words() -> Findings:
    return Findings(
        count="many",  # type: ignore[arg-type]
        noun="scenes",
        files=["scenes.csv"],  # type: ignore[list-item]
        device="cpu",
        timings=Stopwatch().timings,
        table=[{"start": [1]}],  # type: ignore[dict-item]
    )


def reads_wrongly(media: Media, progress: Progress) -> None:
    for frame in frames(media, max_sides=64):  # type: ignore[call-arg]
        frame.image.append(1)  # type: ignore[attr-defined]
    for sound in audio(media.path):  # type: ignore[arg-type]
        progress.report(sound.samples)  # type: ignore[arg-type]
    media.video.width  # type: ignore[union-attr]  # noqa: B018 - there may be no video

    Role.TEXT  # type: ignore[attr-defined]  # noqa: B018 - there is no such role


FIRST: Annotate = returns_nothing  # type: ignore[assignment]
SECOND: Annotate = takes_no_progress  # type: ignore[assignment]
CARD = PipelineCard(  # type: ignore[call-arg] # without a version
    name="wrong",
    display_name="Wrong",
    description="Wrong in every way.",
    family="tests",
    variant="wrong",
    capabilities="scenes",  # type: ignore[arg-type]
    outputs=(OutputFormat("CSV", ("scenes",)),),
    config=Config(),  # type: ignore[arg-type]
    annotate=returns_nothing,  # type: ignore[arg-type]
)
