"""What runs leave in Dagster's catalog: one asset per pipeline, one partition of it per media."""

from dagster import (
    AssetKey,
    AssetMaterialization,
    AssetSpec,
    DynamicPartitionsDefinition,
    OpExecutionContext,
)
from dagster._core.definitions.data_version import CODE_VERSION_TAG

from orchestration.metadata import findings_metadata
from orchestration.publication import Publication
from pipelines.registry.catalog import Catalog
from pipelines.registry.spec import PipelineCard

_MEDIA = "media"
#: Partition keys are the SHA-256 of media, added when a run first sees them.
MEDIA_PARTITIONS = DynamicPartitionsDefinition(name=_MEDIA)


def asset_key(pipeline: str) -> AssetKey:
    return AssetKey(["annotations", pipeline])


def build_assets(catalog: Catalog) -> list[AssetSpec]:
    return [_asset(card) for card in catalog.cards.values()]


def record_annotations(
    context: OpExecutionContext, card: PipelineCard, media_hash: str, publication: Publication
) -> None:
    """Everything there is to see goes into the catalog; the op's output has the headline."""
    findings = publication.findings
    headline = f"{findings.count} {findings.noun}"
    context.add_output_metadata({"found": headline, "device": findings.device})
    context.instance.add_dynamic_partitions(_MEDIA, [media_hash])
    context.log_event(
        AssetMaterialization(
            asset_key=asset_key(card.name),
            partition=media_hash,
            description=headline,
            metadata=findings_metadata(publication),
            tags={CODE_VERSION_TAG: card.version},
        )
    )


def _asset(card: PipelineCard) -> AssetSpec:
    return AssetSpec(
        key=asset_key(card.name),
        description=card.description,
        partitions_def=MEDIA_PARTITIONS,
        code_version=card.version,
        group_name="annotations",
        kinds={output.format.lower() for output in card.outputs},
        metadata={"capabilities": list(card.capabilities)},
    )
