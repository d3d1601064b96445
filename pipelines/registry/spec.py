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

    Args:
        media: the file that the run is about.
        config: a checked instance of the card's config model.
        folder: an empty folder. Write each result straight into it.
        progress: told how far the function is.

    What it raises ends the run of this pipeline; a PipelineError is shown with its hint.

    Example:
        >>> def annotate(
        ...     media: Media, config: BaseModel, folder: Path, progress: Progress
        ... ) -> Findings:
        ...     stopwatch = Stopwatch()
        ...     with stopwatch.writing():
        ...         _ = (folder / "size.txt").write_text(f"{media.size_bytes} bytes")
        ...     return Findings(
        ...         count=1,
        ...         noun="sizes",
        ...         files=[ResultFile("size.txt", Role.ANNOTATIONS, "text/plain")],
        ...         device="cpu",
        ...         timings=stopwatch.timings,
        ...     )
        >>> function: Annotate = annotate  # a type checker says here what is wrong with it
    """

    def __call__(
        self, media: "Media", config: Any, folder: Path, progress: "Progress"
    ) -> "Findings": ...


@dataclass(frozen=True)
class OutputFormat:
    """One kind of file that a pipeline writes.

    Attributes:
        format: what people call it: "CSV", "COCO JSON".
        types: what the annotations in it are, in lower snake case.

    Example:
        >>> OutputFormat("CSV", ("brightness",)).format
        'CSV'
    """

    format: str
    types: tuple[str, ...]


@dataclass(frozen=True)
class PackageFile:
    """A file that comes inside an installed package, such as a model's weights.

    Attributes:
        package: what one imports, at the top: looking for one below another would import that.
        path: where the file lies in the package's folder.

    Methods:
        find(): the file's `Path`, found without importing the package; None if it is not installed.

    Example:
        >>> PackageFile("pydantic", "py.typed").find().name
        'py.typed'
        >>> PackageFile("pydantic", "weights.onnx").find() is None
        True
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
    """How long a pipeline may take: so many seconds, and `factor` times the media's duration.

    Attributes:
        base_seconds: what it may take for any media, above 0.
        factor: seconds for each second of the media, 0 or more.

    Example:
        >>> TimeLimit(base_seconds=60, factor=2).seconds(media_seconds=30)
        120.0
    """

    base_seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1800.0
    factor: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 60.0

    def seconds(self, media_seconds: float) -> float:
        return self.base_seconds + self.factor * media_seconds


def no_gpu_memory(_config: Any) -> int:
    return 0


@dataclass(frozen=True)
class PipelineCard:
    """All that Framegate knows of a pipeline without running it. `annotate` and `warm` are given as
    "module:function", loaded where a run needs them.

    Raises pydantic.ValidationError where a value is of a wrong type.

    Attributes:
        name: the identifier used everywhere: job, op, REST, file names. Lower snake case.
        display_name: what people read.
        description: Markdown, shown in REST and in the Dagster UI.
        family: the kind of pipeline; forms put pipelines of one family together.
        variant: which one of its family it is, by the method or the model.
        capabilities: what it can find, in lower snake case.
        outputs: the kinds of files that it writes.
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
        default_enabled: whether a submission that names no pipeline runs it.

    Example:
        >>> class BlurConfig(BaseModel):
        ...     threshold: float = Field(default=0.5, ge=0, le=1, description="Blurred below it.")
        >>> card = PipelineCard(
        ...     name="blur",
        ...     display_name="Blur",
        ...     description="Finds blurred seconds.",
        ...     family="quality",
        ...     variant="laplacian",
        ...     version="1.0.0",
        ...     capabilities=("blur",),
        ...     outputs=(OutputFormat("CSV", ("blur",)),),
        ...     config=BlurConfig,
        ...     annotate="framegate_blur.annotate:annotate",
        ... )
        >>> card.config()
        BlurConfig(threshold=0.5)
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
