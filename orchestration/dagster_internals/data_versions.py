"""Tags of a materialization by which Dagster tells whether an asset is stale."""

from collections.abc import Iterable

from dagster import AssetKey
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_TAG,
    DEFAULT_DATA_VERSION,
    NULL_EVENT_POINTER,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

__all__ = ["CODE_VERSION_TAG", "DATA_VERSION_TAG", "provenance_tags"]


def provenance_tags(code_version: str, inputs: Iterable[AssetKey]) -> dict[str, str]:
    """Made by this code, of inputs that never change: only other code makes it stale."""
    tags = {CODE_VERSION_TAG: code_version}
    for key in inputs:
        tags[get_input_data_version_tag(key)] = DEFAULT_DATA_VERSION.value
        tags[get_input_event_pointer_tag(key)] = NULL_EVENT_POINTER
    return tags
