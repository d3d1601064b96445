"""What the authors of pipelines import: these names are promised, and nothing else of Framegate is.

A pipeline is a `PipelineCard`, a config and one function `annotate`. The API imports cards at every
start, so importing this module is cheap: what reads media is loaded when it is first named.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from pipelines.errors import GpuOutOfMemoryError, PipelineError
from pipelines.findings import Findings, ResultFile, Role
from pipelines.progress import Progress
from pipelines.registry.spec import Annotate, OutputFormat, PackageFile, PipelineCard, TimeLimit
from pipelines.stopwatch import Stopwatch

if TYPE_CHECKING:
    from pipelines.damage import Damage
    from pipelines.frames import Frame, frames
    from pipelines.media import Media, probe
    from pipelines.sound import Sound, audio

__all__ = [
    "SDK_VERSION",
    "Annotate",
    "Damage",
    "Findings",
    "Frame",
    "GpuOutOfMemoryError",
    "Media",
    "OutputFormat",
    "PackageFile",
    "PipelineCard",
    "PipelineError",
    "Progress",
    "ResultFile",
    "Role",
    "Sound",
    "Stopwatch",
    "TimeLimit",
    "audio",
    "frames",
    "probe",
]

#: Raised with every change of these names. A pipeline says which version it was written for.
SDK_VERSION = 1

#: {name: the module that it is loaded from when it is first named}. They need PyAV and NumPy.
_LOADED_LATER = {
    "Damage": "pipelines.damage",
    "Frame": "pipelines.frames",
    "Media": "pipelines.media",
    "Sound": "pipelines.sound",
    "audio": "pipelines.sound",
    "frames": "pipelines.frames",
    "probe": "pipelines.media",
}

if not TYPE_CHECKING:  # a type checker would take any name for one of this module's

    def __getattr__(name: str) -> object:
        if name not in _LOADED_LATER:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_LOADED_LATER[name]), name)
