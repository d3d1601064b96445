from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from pipelines.registry.catalog import Catalog
from pipelines.registry.spec import OutputFormat, PipelineCard
from tests.pipelines.registry.detector import Config, Detection


def make_card(
    name: str, config: type[BaseModel], gpu_memory: Callable[[Any], int] | None = None
) -> PipelineCard:
    return PipelineCard(
        name=name,
        display_name=name.replace("_", " ").capitalize(),
        description="",
        family="test",
        variant="plain",
        version="1.0.0",
        capabilities=(),
        outputs=(OutputFormat("json", ("scene",)),),
        config=config,
        annotate="nowhere:nothing",
        gpu_memory=gpu_memory or (lambda _config: 0),
    )


@pytest.fixture
def catalog_of() -> Callable[..., Catalog]:
    """Builds a catalog of one pipeline per keyword: its config model, or a whole card."""

    def build(**entries: type[BaseModel] | PipelineCard) -> Catalog:
        return Catalog(
            {
                name: entry if isinstance(entry, PipelineCard) else make_card(name, entry)
                for name, entry in entries.items()
            }
        )

    return build


@pytest.fixture
def card_of() -> Callable[..., PipelineCard]:
    return make_card


@pytest.fixture
def catalog(catalog_of: Callable[..., Catalog]) -> Catalog:
    return catalog_of(detector=Config, other=Detection)
