"""Presets: pipelines with a config under one name, as YAML files in `FRAMEGATE_HOME/presets/`.

A preset that cannot be used is a problem that says why; it never disturbs the others.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from contracts import patterns
from pipelines.registry.catalog import Catalog
from pipelines.registry.json_value import json_problems
from pipelines.registry.names import is_name, is_reserved
from pipelines.registry.problems import Problem, problems_of
from pipelines.registry.schema import SchemaUnavailableError, describe
from pipelines.registry.validation import MAX_PROBLEMS, validate_configs
from pipelines.registry.wording import clean
from pipelines.registry.yaml_file import YamlFileError, read_yaml

SUFFIXES = (".yaml", ".yml")

_NAME_HINT = "Use lower case letters, digits and underscores, as in 'night_faces.yaml'."
_Owner = Annotated[str, StringConstraints(pattern=patterns.OWNER)]
_TagKey = Annotated[str, StringConstraints(pattern=patterns.TAG_KEY)]
_TagValue = Annotated[str, StringConstraints(pattern=patterns.TAG_VALUE)]


class PresetFile(BaseModel):
    """What may stand in the file. `config` is judged by the one validator."""

    model_config = ConfigDict(extra="forbid", strict=True)

    description: str = Field("", max_length=5000, description="Markdown, for the Dagster UI")
    pipelines: list[str] = Field(
        min_length=1, max_length=100, description="what to run, as a list of pipelines"
    )
    config: Any = Field(default_factory=dict, description="keyed by pipeline")
    priority: int = Field(
        0, ge=-1000, le=1000, description="higher leaves the queue sooner than lower"
    )
    owner: _Owner | None = Field(None, description="whose the jobs are: the name of an API key")
    tags: dict[_TagKey, _TagValue] = Field(
        default_factory=dict, max_length=20, description="put on every run"
    )
    link_results: bool | None = Field(
        None, description="whether the results are linked beside the video in the inbox"
    )


@dataclass(frozen=True)
class Preset:
    """A preset that can be used. `config` is as written, `complete_config` has the defaults."""

    name: str
    description: str
    pipelines: tuple[str, ...]
    config: Mapping[str, Mapping[str, Any]]
    complete_config: Mapping[str, BaseModel]
    priority: int = 0
    owner: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    link_results: bool | None = None


@dataclass(frozen=True)
class PresetProblem:
    """What is wrong in `file`; `field` is a dotted path, None where it is the file as a whole."""

    file: str
    field: str | None
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}: {self.field}" if self.field else self.file
        return f"{place}: {self.message}" + (f" ({self.hint})" if self.hint else "")


@dataclass(frozen=True)
class Presets:
    usable: Mapping[str, Preset] = field(default_factory=dict)
    problems: tuple[PresetProblem, ...] = ()


def load_presets(folder: Path, catalog: Catalog) -> Presets:
    """Every preset in the folder, by name in alphabetical order, and all problems at once."""
    usable: dict[str, Preset] = {}
    problems: list[PresetProblem] = []
    for path in preset_files(folder):
        loaded = _load(path, catalog, taken=usable)
        if isinstance(loaded, Preset):
            usable[loaded.name] = loaded
        else:
            problems.extend(loaded)
    return Presets(usable, tuple(problems))


def preset_files(folder: Path) -> list[Path]:
    """Hidden files, and whatever is not YAML by its suffix, are none."""
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return []
    return [path for path in paths if path.suffix in SUFFIXES and not path.name.startswith(".")]


def _load(
    path: Path, catalog: Catalog, taken: Mapping[str, Preset]
) -> Preset | list[PresetProblem]:
    file = clean(path.name.encode(errors="replace").decode(), limit=100)
    if problem := _name_problem(path.stem, catalog, taken):
        return [PresetProblem(file, None, problem, _NAME_HINT)]
    if not path.is_file():
        return [PresetProblem(file, None, "It is not a file.")]
    try:
        content = read_yaml(path)
    except YamlFileError as error:
        return [PresetProblem(file, None, clean(error.message), error.hint)]
    problems = [
        PresetProblem(file, problem.field.removeprefix("."), problem.message, problem.hint)
        for problem in _content_problems(content)
    ]
    if problems:
        return problems
    return _judge(path.stem, file, PresetFile.model_validate(content), catalog)


def _name_problem(name: str, catalog: Catalog, taken: Mapping[str, Preset]) -> str | None:
    if not is_name(name):
        return "The file's name is not a lower snake case name."
    if name in {entry.name for entry in catalog.broken} | {*catalog.names}:
        return f"There is a pipeline named '{name}' already."
    if name in taken:
        return f"There is a preset named '{name}' already."
    if is_reserved(name):
        return f"The name '{name}' is reserved."
    return None


def _content_problems(content: object) -> Iterator[Problem]:
    problems = list(json_problems(content, ""))[:MAX_PROBLEMS]
    if problems:
        yield from problems
        return
    try:
        PresetFile.model_validate(content)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        yield from problems_of(errors, content, describe(PresetFile), "", MAX_PROBLEMS)[0]


def _judge(
    name: str, file: str, written: PresetFile, catalog: Catalog
) -> Preset | list[PresetProblem]:
    try:
        verdict = validate_configs(written.pipelines, written.config, catalog)
    except SchemaUnavailableError as error:
        return [PresetProblem(file, "pipelines", clean(str(error)))]
    if not verdict.valid:
        return [PresetProblem(file, at.field, at.message, at.hint) for at in verdict.errors]
    return Preset(
        name=name,
        description=written.description,
        pipelines=tuple(dict.fromkeys(written.pipelines)),
        config={name: dict(written.config.get(name, {})) for name in written.pipelines},
        complete_config=verdict.configs,
        priority=written.priority,
        owner=written.owner,
        tags=written.tags,
        link_results=written.link_results,
    )
