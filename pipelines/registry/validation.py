"""The one validator: REST, the CLI, the first op of every run, schedules and sensors call it.

Types are those of JSON, strictly: no number in quotes, no boolean for a number, neither NaN nor
infinity; an integer is a number. All errors are found at once; the first hundred are reported.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from pydantic import BaseModel, PydanticUserError, ValidationError
from pydantic_core import to_json

from pipelines.errors import ConfigError
from pipelines.registry import wording
from pipelines.registry.catalog import Catalog
from pipelines.registry.devices import Device
from pipelines.registry.json_value import json_problems
from pipelines.registry.memory import fits_no_device, gpu_memory
from pipelines.registry.problems import Caution, Problem, ProblemCode, field_name, problems_of
from pipelines.registry.schema import Schema, SchemaUnavailableError, describe
from pipelines.registry.spec import PipelineCard

MAX_PROBLEMS = 100
#: Of more errors than these nobody reads the words: they are only counted.
_CONSIDERED = 1000
#: Nobody means to name as many; without a limit a verdict on them could take seconds.
MAX_PIPELINES = 100


@dataclass(frozen=True)
class Verdict:
    """Whether configs are usable. `configs` holds those that are, by pipeline, with defaults."""

    errors: tuple[Problem, ...] = ()
    warnings: tuple[Caution, ...] = ()
    configs: Mapping[str, BaseModel] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        return not self.errors


def validate_config(
    pipeline: str,
    config: object,
    catalog: Catalog,
    devices: Sequence[Device] | None = None,
) -> Verdict:
    """The verdict on one pipeline's config, with paths such as `config.threshold`.

    Without `devices` nothing is said about GPU memory. Raises SchemaUnavailableError for a
    pipeline that is registered but broken.
    """
    card = find_card(pipeline, catalog)
    if card is None:
        return Verdict(errors=(unknown_pipeline(pipeline, catalog, "pipeline"),))
    return _judge(card, config, devices, "config")


def validate_configs(
    pipelines: Sequence[str] | None,
    configs: object,
    catalog: Catalog,
    devices: Sequence[Device] | None = None,
    *,
    pipelines_field: str = "pipelines",
) -> Verdict:
    """The verdict on a submission, whose `configs` are keyed by pipeline; paths such as
    `config.face_detection.threshold`.

    A pipeline without a config gets its defaults; a config whose pipeline is not among
    `pipelines` is an error. Where `pipelines` is None, the keys of `configs` name
    them. More than MAX_PIPELINES are not judged. Raises SchemaUnavailableError as
    `validate_config` does.
    """
    if not isinstance(configs, dict):
        return Verdict(errors=tuple(_not_by_pipeline(configs)))
    named = _places(configs if pipelines is None else pipelines)
    for names, place in ((configs, "config"), (named, pipelines_field)):
        if len(names) > MAX_PIPELINES:
            return Verdict(errors=(_too_many(place),))
    verdicts = [_unselected(configs, named, catalog)]
    for name, index in named.items():
        card = find_card(name, catalog)
        path = field_name("config", (name,))
        if card is None:
            place = path if pipelines is None else f"{pipelines_field}.{index}"
            verdicts.append(Verdict(errors=(unknown_pipeline(name, catalog, place),)))
        else:
            verdicts.append(_judge(card, configs.get(name, {}), devices, path))
    return _joined(verdicts)


def normalised_config(pipeline: str, config: object, catalog: Catalog) -> BaseModel:
    """The config as the pipeline's own model, defaults filled in, for the op that runs it.

    Raises ConfigError with the first problem, and SchemaUnavailableError.
    """
    verdict = validate_config(pipeline, config, catalog)
    if verdict.valid:
        return verdict.configs[pipeline]
    first = verdict.errors[0]
    raise ConfigError(f"{first.field}: {first.message}", first.hint)


def find_card(pipeline: object, catalog: Catalog) -> PipelineCard | None:
    """None where nothing of that name is registered. Raises SchemaUnavailableError."""
    if not isinstance(pipeline, str):
        return None
    card = catalog.cards.get(pipeline)
    broken = next((entry for entry in catalog.broken if entry.name == pipeline), None)
    if card is None and broken is not None:
        raise SchemaUnavailableError(pipeline, broken.error)
    return card


def unknown_pipeline(name: object, catalog: Catalog, place: str) -> Problem:
    """The problem of a name that is not registered, at `place`, with all that are."""
    shown = wording.clean(str(name), limit=80)
    near = wording.nearest(str(name), catalog.names)
    known = f"Known pipelines: {wording.names(catalog.names)}"
    return Problem(
        place,
        f"There is no pipeline named '{shown}'",
        ProblemCode.PIPELINE_NOT_FOUND,
        f"Did you mean '{near}'? {known}" if near else known,
    )


def _judge(
    card: PipelineCard, config: object, devices: Sequence[Device] | None, prefix: str
) -> Verdict:
    if problems := tuple(islice(json_problems(config, prefix), MAX_PROBLEMS)):
        return Verdict(errors=problems)
    try:
        usable = card.config.model_validate_json(to_json(config), strict=True)
    except ValidationError as error:
        return _refused(error, card, config, prefix)
    except PydanticUserError as error:
        raise SchemaUnavailableError(card.name, str(error)) from error
    except Exception as error:  # noqa: BLE001 - whatever a third party's validator raises
        return Verdict(errors=(_raised(error, prefix),))
    return Verdict(
        warnings=tuple(_cautions(card, usable, devices, prefix)), configs={card.name: usable}
    )


def _refused(error: ValidationError, card: PipelineCard, config: object, prefix: str) -> Verdict:
    errors = error.errors(include_url=False)
    schema, considered = _schema(card), errors[:_CONSIDERED]
    problems, rest = problems_of(considered, config, schema, prefix, MAX_PROBLEMS)
    rest += len(errors) - len(considered)
    return Verdict(tuple(problems), (_more(rest, prefix),) if rest else ())


def _schema(card: PipelineCard) -> Schema:
    """For limits and names in messages; a model that cannot be described goes without them."""
    try:
        return describe(card.config)
    except Exception:  # noqa: BLE001 - whatever a third party's model raises
        return {}


def _raised(error: Exception, prefix: str) -> Problem:
    message = wording.clean(
        f"The pipeline's own validation failed: {type(error).__name__}: {error}"
    )
    return Problem(prefix, message, ProblemCode.INVALID_VALUE)


def _cautions(
    card: PipelineCard, config: BaseModel, devices: Sequence[Device] | None, prefix: str
) -> list[Caution]:
    if not devices:
        return []
    required = gpu_memory(card, config)
    if not fits_no_device(required, devices):
        return []
    largest = max(device.memory_total for device in devices)
    message = (
        f"Expected to need {required / 1e9:.1f} GB of GPU memory; "
        f"the largest device here has {largest / 1e9:.1f} GB"
    )
    return [Caution(prefix, message, "Choose a smaller batch, a smaller size or device 'cpu'")]


def _more(rest: int, prefix: str) -> Caution:
    return Caution(
        prefix,
        f"{rest} more errors are not shown",
        "Correct the errors shown, then validate again",
    )


def _not_by_pipeline(configs: object) -> list[Problem]:
    problems = list(islice(json_problems(configs, "config"), MAX_PROBLEMS))
    message = "Value must be an object keyed by pipeline"
    return problems or [Problem("config", message, ProblemCode.INVALID_TYPE)]


def _places(names: Collection[str]) -> dict[str, int]:
    """Each name once, with where it stands first."""
    places: dict[str, int] = {}
    for index, name in enumerate(names):
        places.setdefault(name, index)
    return places


def _too_many(place: str) -> Problem:
    return Problem(
        place,
        f"More than {MAX_PIPELINES} pipelines",
        ProblemCode.VALUE_OUT_OF_RANGE,
        "Name those that are meant",
    )


def _unselected(
    configs: Mapping[object, object], named: Collection[str], catalog: Catalog
) -> Verdict:
    """Configs whose pipeline was not asked for: they would have no effect."""
    others = [str(name) for name in configs if name not in named]
    return Verdict(tuple(_unselected_config(name, catalog) for name in others))


def _unselected_config(name: str, catalog: Catalog) -> Problem:
    place = field_name("config", (name,))
    if name not in catalog.cards:
        return unknown_pipeline(name, catalog, place)
    return Problem(
        place,
        f"Pipeline '{name}' is not selected",
        ProblemCode.INVALID_VALUE,
        f"Select '{name}' or leave its config out",
    )


def _joined(verdicts: Sequence[Verdict]) -> Verdict:
    errors = [error for verdict in verdicts for error in verdict.errors]
    warnings = [warning for verdict in verdicts for warning in verdict.warnings]
    rest = len(errors) - MAX_PROBLEMS
    if rest > 0:
        warnings.append(_more(rest, "config"))
    configs = {name: config for verdict in verdicts for name, config in verdict.configs.items()}
    return Verdict(tuple(errors[:MAX_PROBLEMS]), tuple(warnings), configs)
