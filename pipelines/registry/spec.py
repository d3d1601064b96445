"""A pipeline's card: all that the rest of Framegate knows of a pipeline without running it.

Importing a card must be cheap (no torch, no model): the API lists cards on every start.
"""

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

from pydantic import BaseModel, Field
from pydantic.dataclasses import dataclass  # checks what a third party's card is made of

if TYPE_CHECKING:
    from pipelines.findings import Findings
    from pipelines.media import Media
    from pipelines.progress import Progress


class Annotate(Protocol):
    """A pipeline's one function: reads `media`, writes files into `folder`, says what it found.

    The folder is private to the call and becomes visible only after the function returned.
    """

    def __call__(
        self, media: "Media", config: Any, folder: Path, progress: "Progress"
    ) -> "Findings": ...


@dataclass(frozen=True)
class OutputFormat:
    """One kind of file that a pipeline writes: its format and what the annotations in it are."""

    format: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class PackageFile:
    """A file that comes inside an installed package: `path` is relative to the package's folder.

    `package` is what one imports, at the top: looking for one below another would import that.
    """

    package: Annotated[str, Field(pattern=r"^\w+$")]
    path: str

    def find(self) -> Path | None:
        """Where it lies, found without importing the package; None if it is not installed."""
        spec = find_spec(self.package)
        folders = (spec and spec.submodule_search_locations) or ()
        paths = (Path(folder, self.path) for folder in folders)
        return next((path for path in paths if path.is_file()), None)


@dataclass(frozen=True)
class TimeLimit:
    """How long a pipeline may take: so many seconds, and `factor` times the media's duration."""

    base_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1800.0
    factor: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 60.0

    def seconds(self, media_seconds: float) -> float:
        return self.base_seconds + self.factor * media_seconds


def no_gpu_memory(_config: Any) -> int:
    return 0


@dataclass(frozen=True)
class PipelineCard:
    """`annotate` and `warm` are given as "module:function", loaded where a run needs them.

    Attributes:
        name: the identifier used everywhere: job, op, REST, file names. Lower snake case.
        description: Markdown, shown in REST and in the Dagster UI.
        model: Markdown: the network, where it is described, and which package it comes in.
        model_files: the weights it reads; `framegate doctor` says whether they are installed.
        speed: about how long it takes, and on what.
        version: of the annotations; a new version makes older results stale.
        config: the Pydantic model of its config; every field has a default, limits and a
            description, `extra="forbid"`. `json_schema_extra={"group": ..., "advanced": ...}`
            on a field arranges forms.
        annotate: "module:function" of an `Annotate`.
        warm: "module:function" without arguments that loads weights on the CPU, so that run
            workers forked afterwards share them; None where there is nothing to load.
        gpu_memory: the most bytes of GPU memory that a run with this config is expected to
            hold; 0 for a pipeline that never uses a GPU.
        grace_seconds: how long the pipeline may take to stop when interrupted.
        memory_limit: the most bytes of the machine's memory that a run may hold; None for half
            of what the machine has. What exceeds it is killed.
        time_limit: how long the pipeline may take. What exceeds it is interrupted, then killed.
            `FRAMEGATE_MEMORY_LIMITS_GB` and `FRAMEGATE_TIME_LIMITS` go before both limits.
    """

    name: str
    display_name: str
    description: str
    family: str
    variant: str
    version: str
    capabilities: tuple[str, ...]
    outputs: tuple[OutputFormat, ...]
    config: type[BaseModel]
    annotate: str
    model: str = ""
    model_files: tuple[PackageFile, ...] = ()
    speed: str = ""
    warm: str | None = None
    gpu_memory: Callable[[Any], int] = no_gpu_memory
    grace_seconds: float = 5.0
    memory_limit: Annotated[int, Field(gt=0)] | None = None
    time_limit: TimeLimit = TimeLimit()
    default_enabled: bool = True

    def load_annotate(self) -> Annotate:
        function: Annotate = load_object(self.annotate)
        return function

    def load_warm(self) -> Callable[[], None] | None:
        return None if self.warm is None else load_object(self.warm)


def load_object(reference: str) -> Any:
    """The object that "module:name" names."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name)
