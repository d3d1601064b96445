"""How `dagster.yaml` becomes an instance, and the classes that it names."""

from dagster._core.instance.ref import InstanceRef
from dagster._serdes import ConfigurableClass, ConfigurableClassData

__all__ = ["ConfigurableClass", "ConfigurableClassData", "InstanceRef"]
