"""The names of assets in Dagster's catalog."""

from collections.abc import Iterable

from dagster import AssetKey

ANNOTATIONS = "annotations"
MEDIA = AssetKey(["media"])


def asset_key(pipeline: str) -> AssetKey:
    return AssetKey([ANNOTATIONS, pipeline])


def pipelines_of_assets(keys: Iterable[AssetKey]) -> list[str]:
    """The pipelines whose annotations these are, in alphabetical order."""
    return sorted(key.path[-1] for key in keys if key.path[0] == ANNOTATIONS)
