"""The catalogue of pipelines: whether all entries could be loaded and described."""

from api.health.deadline import Deadline, ProbeError
from api.health.report import PartStatus, RegistryHealth
from pipelines.registry.catalog import Catalog
from pipelines.registry.schema import describe


async def probe_registry(catalog: Catalog, deadline: Deadline) -> RegistryHealth:
    try:
        defects = await deadline.call("registry", lambda: _defects(catalog))
    except ProbeError as error:
        defects = [str(error)]
    return RegistryHealth(
        status=PartStatus.ERROR if defects else PartStatus.OK,
        pipelines_loaded=len(catalog.cards),
        pipeline_names=catalog.names,
        error="; ".join(defects) or None,
    )


def _defects(catalog: Catalog) -> list[str]:
    defects = [f"{entry.name}: {entry.error}" for entry in catalog.broken]
    for name, card in catalog.cards.items():
        try:
            describe(card.config)
        except Exception as error:  # noqa: BLE001 - whatever a third party's model raises
            defects.append(f"{name}: {type(error).__name__}: {error}")
    return defects
