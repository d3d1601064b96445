"""Jobs as a code location tells them to the other processes."""

from dagster._core.definitions.selector import JobSubsetSelector
from dagster._core.remote_representation.code_location import CodeLocation
from dagster._core.remote_representation.external import RemoteJob

__all__ = ["CodeLocation", "JobSubsetSelector", "RemoteJob"]
