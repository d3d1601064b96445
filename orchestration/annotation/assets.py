"""What runs leave in Dagster's catalog: one asset per pipeline, one partition of it per media.

Jobs record their annotations themselves. An asset is executable as well, by the same op as in its
job: only then does Dagster compare code versions, and "Materialize" brings stale ones up to date.
"""

from collections.abc import Mapping, Sequence

from dagster import (
    AssetMaterialization,
    AssetsDefinition,
    AssetSpec,
    DagsterInstance,
    DynamicPartitionsDefinition,
    JobDefinition,
    OpDefinition,
    OpExecutionContext,
    ResourceDefinition,
)
from sqlalchemy.exc import IntegrityError

from contracts.home import Home
from orchestration.annotation.asset_keys import ANNOTATIONS, MEDIA, asset_key
from orchestration.annotation.descriptions import pipeline_description
from orchestration.annotation.metadata import findings_metadata, media_metadata
from orchestration.annotation.pictures import preview_markdown
from orchestration.annotation.publication import Publication
from orchestration.annotation.resources import HOME, home_resource
from orchestration.dagster_internals.data_versions import DATA_VERSION_TAG, provenance_tags
from pipelines.media import Media
from pipelines.registry.catalog import Catalog
from pipelines.registry.spec import PipelineCard

_PARTITIONS = "media"
#: Partition keys are the SHA-256 of media, added when a run first sees them.
MEDIA_PARTITIONS = DynamicPartitionsDefinition(name=_PARTITIONS)

#: Dagster's own limit.
_MOST_KINDS = 10


def build_assets(
    catalog: Catalog, jobs: Sequence[JobDefinition], home: Home
) -> list[AssetsDefinition | AssetSpec]:
    """`jobs` holds each pipeline's own job, whose op makes the asset as well."""
    resources = {HOME: home_resource(home)}
    graphs = {job.name: job.graph for job in jobs}
    media = AssetSpec(
        MEDIA,
        description="Videos and sounds that jobs were given, by their SHA-256.",
        partitions_def=MEDIA_PARTITIONS,
        group_name=ANNOTATIONS,
    )
    return [
        media,
        *(
            _asset(card, graphs[card.name].node_named(card.name).definition, resources)
            for card in catalog.cards.values()
        ),
    ]


def record_media(context: OpExecutionContext, media: Media, media_hash: str) -> None:
    _add_partition(context.instance, media_hash)
    context.log_event(
        AssetMaterialization(
            asset_key=MEDIA,
            partition=media_hash,
            description=media.name,
            metadata=media_metadata(media),
            tags={DATA_VERSION_TAG: media_hash},
        )
    )


def _add_partition(instance: DagsterInstance, media_hash: str) -> None:
    """Another run on the same media may add it at the same moment."""
    try:
        instance.add_dynamic_partitions(_PARTITIONS, [media_hash])
    except IntegrityError:
        if not instance.has_dynamic_partition(_PARTITIONS, media_hash):
            raise


def record_annotations(
    context: OpExecutionContext,
    card: PipelineCard,
    media: Media,
    media_hash: str,
    publication: Publication,
) -> None:
    """Everything there is to see goes into the catalog; the op's output has the headline."""
    findings = publication.findings
    headline = f"{findings.count} {findings.noun}"
    metadata = findings_metadata(media, publication, _preview(context, publication))
    if context.has_assets_def:  # then Dagster makes the materialization out of the op's output
        context.add_output_metadata(metadata)
        return
    context.add_output_metadata({"found": headline, "device": findings.device})
    context.log_event(
        AssetMaterialization(
            asset_key=asset_key(card.name),
            partition=media_hash,
            description=headline,
            metadata=metadata,
            tags=provenance_tags(card.version, [MEDIA]),
        )
    )


def _preview(context: OpExecutionContext, publication: Publication) -> str | None:
    """None where there is no picture, or it cannot be shown: the results are published already."""
    home: Home = getattr(context.resources, HOME)
    try:
        return preview_markdown(home, context.run_id, publication)
    except Exception as error:  # noqa: BLE001 - whatever Pillow makes of a third party's file
        context.log.warning("The preview cannot be shown: %s: %s", type(error).__name__, error)
        return None


def _asset(
    card: PipelineCard, op: object, resources: Mapping[str, ResourceDefinition]
) -> AssetsDefinition:
    if not isinstance(op, OpDefinition):
        raise TypeError(f"the node {card.name} is no op")
    [probed] = op.ins
    [result] = op.outs
    key = asset_key(card.name)
    return AssetsDefinition(
        node_def=op,
        keys_by_input_name={probed: MEDIA},
        keys_by_output_name={result: key},
        resource_defs=resources,
        specs=[
            AssetSpec(
                key,
                deps=[MEDIA],
                description=pipeline_description(card),
                partitions_def=MEDIA_PARTITIONS,
                code_version=card.version,
                group_name=ANNOTATIONS,
                kinds={output.format.lower() for output in card.outputs[:_MOST_KINDS]},
                metadata={"capabilities": list(card.capabilities)},
            )
        ],
    )
