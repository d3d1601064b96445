"""The demo's sample video."""

from tests.pipelines.conftest import sample

__all__ = ["sample"]
