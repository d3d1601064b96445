"""Cards that can be imported, and what is wrong with them."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict

from pipelines.sdk import OutputFormat, PipelineCard


class Plain(BaseModel):
    threshold: float = 0.5


class Demanding(BaseModel):
    threshold: float


class Opaque(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    callback: Callable[[], int] = int


class Careless(BaseModel):
    threshold: float = "high"  # type: ignore[assignment] # the carelessness


def guess(_config: Plain) -> int:
    raise KeyError("threshold")


def card(name: str, **more: Any) -> PipelineCard:
    facts = {
        "display_name": name,
        "description": "Wrong in its own way.",
        "family": "tests",
        "variant": "broken",
        "version": "1.0.0",
        "capabilities": (),
        "outputs": (OutputFormat("TXT", ("nothing",)),),
        "config": Plain,
        "annotate": "nowhere:nothing",
        "default_enabled": False,
    }
    return PipelineCard(name=name, **{**facts, **more})


NO_CARD = {"name": "no_card"}
DEMANDING = card("demanding", config=Demanding)
OPAQUE = card("opaque", config=Opaque)
GUESSING = card("guessing", gpu_memory=guess)
TYPE = card("type")
LIBRARY_BATCH = card("library_batch")
GRAPH = card("scene_detection_graph")
TAKEN = card("face_detection")
#: More formats than Dagster shows of an asset.
FORMATS = tuple(OutputFormat(f"TXT{number}", ("nothing",)) for number in range(12))
CARELESS = card("careless", config=Careless, outputs=FORMATS)
