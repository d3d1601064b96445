"""Third parties' pipelines: entry points of a group that is named after the version of the SDK.

The group `framegate.pipelines.v1` holds pipelines that were written for `SDK_VERSION` 1. Nothing of
a package is imported before its version is known to fit.
"""

import re
from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import EntryPoint, entry_points

from pipelines.sdk import SDK_VERSION

GROUP = "framegate.pipelines"
#: The oldest version of which all promises are still kept.
_OLDEST_VERSION = 1

_GROUP = re.compile(rf"{re.escape(GROUP)}(\.v(?P<version>\d+))?")


class SdkVersionError(Exception):
    """A pipeline was written for a version of the SDK that is not this one's."""


def third_party_entries() -> Iterator[tuple[str, Callable[[], object]]]:
    """The name of each entry, and what loads its card. That raises SdkVersionError, or whatever the
    package raises.
    """
    for group in sorted(entry_points().groups):
        if match := _GROUP.fullmatch(group):
            for entry_point in entry_points(group=group):
                yield entry_point.name, partial(_load, entry_point, match["version"])


def _load(entry_point: EntryPoint, version: str | None) -> object:
    if problem := _problem(version):
        raise SdkVersionError(problem)
    return entry_point.load()


def _problem(version: str | None) -> str | None:
    """Why a pipeline that was written for `version` cannot be used, and what to do."""
    if version is None:
        return (
            "It does not say which version of the SDK it was written for. "
            f"Name its group of entry points {GROUP}.v{SDK_VERSION}."
        )
    written_for = (
        f"It was written for version {version} of the SDK, and this Framegate has {SDK_VERSION}."
    )
    if int(version) > SDK_VERSION:
        return f"{written_for} Install a newer Framegate, or an older release of the pipeline."
    if int(version) < _OLDEST_VERSION:
        return f"{written_for} Install a newer release of the pipeline."
    return None
