"""Types of run config with rules of their own, which `dagster.Field` takes."""

from dagster._config.config_type import ConfigScalar, ConfigScalarKind
from dagster._config.errors import PostProcessingError

__all__ = ["ConfigScalar", "ConfigScalarKind", "PostProcessingError"]
