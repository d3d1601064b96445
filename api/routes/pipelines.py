"""The catalogue of pipelines: cards, JSON Schemas, and parameters for form builders."""

from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field
from pydantic.json_schema import SkipJsonSchema

from api.dependencies import CurrentServices, Reader, Services
from api.errors import PipelineNotFoundError, ValidationUnavailableError
from api.http.responses import KEYED, errors
from pipelines.registry.parameters import Parameter, parameters_of
from pipelines.registry.schema import SchemaUnavailableError, describe
from pipelines.registry.spec import PipelineCard
from pipelines.registry.validation import find_card, unknown_pipeline

router = APIRouter(prefix="/api/v1/pipelines", tags=["pipelines"])


class PipelineOutput(BaseModel):
    """A kind of file that the pipeline writes, and what the annotations in it are."""

    format: str
    types: list[str]


class Pipeline(BaseModel):
    name: str
    display_name: str
    description: str = Field(description="Markdown.")
    pipeline_family: str
    variant: str
    version: str = Field(description="Of the annotations: a new one makes older results stale.")
    capabilities: list[str]
    outputs: list[PipelineOutput]
    default_enabled: bool

    @classmethod
    def of(cls, card: PipelineCard) -> "Pipeline":
        return cls(
            name=card.name,
            display_name=card.display_name,
            description=card.description,
            pipeline_family=card.family,
            variant=card.variant,
            version=card.version,
            capabilities=list(card.capabilities),
            outputs=[
                PipelineOutput(format=output.format, types=list(output.types))
                for output in card.outputs
            ],
            default_enabled=card.default_enabled,
        )


class PipelineList(BaseModel):
    pipelines: list[Pipeline]
    total: int


class Choice(BaseModel):
    value: Any
    label: str


class FormParameter(BaseModel):
    """One field of a form. Limits that do not exist are left out."""

    name: str
    type: Literal["boolean", "string", "integer", "number", "enum", "multiselect", "object"]
    label: str
    description: str
    required: bool
    default: Any = Field(description="Null where there is none.")
    min: float | SkipJsonSchema[None] = None
    max: float | SkipJsonSchema[None] = None
    step: float | SkipJsonSchema[None] = None
    enum: list[Choice] | SkipJsonSchema[None] = None
    group: str
    advanced: bool

    @classmethod
    def of(cls, parameter: Parameter) -> "FormParameter":
        limits = {
            "min": parameter.minimum,
            "max": parameter.maximum,
            "step": parameter.step,
            "enum": [Choice(value=choice, label=_label(choice)) for choice in parameter.choices],
        }
        return cls(
            name=parameter.name,
            type=parameter.type,
            label=parameter.label,
            description=parameter.description,
            required=parameter.required,
            default=parameter.default,
            group=parameter.group,
            advanced=parameter.advanced,
            **{name: limit for name, limit in limits.items() if limit not in (None, [])},
        )


class PipelineSchema(BaseModel):
    name: str
    version: str
    json_schema: dict[str, Any] = Field(description="JSON Schema 2020-12 of the config.")
    parameters: list[FormParameter]


@router.get(
    "",
    operation_id="listPipelines",
    responses=errors(*KEYED),
)
async def index(_reader: Reader, services: CurrentServices) -> PipelineList:
    cards = services.catalog.cards.values()
    return PipelineList(pipelines=[Pipeline.of(card) for card in cards], total=len(cards))


@router.get(
    "/{name}",
    operation_id="getPipeline",
    responses=errors(*KEYED, PipelineNotFoundError, ValidationUnavailableError),
)
async def show(_reader: Reader, services: CurrentServices, name: str) -> Pipeline:
    return Pipeline.of(_find(services, name))


@router.get(
    "/{name}/schema",
    operation_id="getPipelineSchema",
    response_model_exclude_unset=True,
    responses=errors(*KEYED, PipelineNotFoundError, ValidationUnavailableError),
)
async def schema(_reader: Reader, services: CurrentServices, name: str) -> PipelineSchema:
    card = _find(services, name)
    try:
        document, parameters = dict(describe(card.config)), parameters_of(card.config)
    except Exception as error:
        raise ValidationUnavailableError(
            f"The schema of pipeline '{name}' cannot be described: {error}"
        ) from error
    return PipelineSchema(
        name=card.name,
        version=card.version,
        json_schema=document,
        parameters=[FormParameter.of(parameter) for parameter in parameters],
    )


def _find(services: Services, name: str) -> PipelineCard:
    """Raises PipelineNotFoundError, ValidationUnavailableError."""
    try:
        card = find_card(name, services.catalog)
    except SchemaUnavailableError as error:
        raise ValidationUnavailableError(str(error)) from error
    if card is None:
        problem = unknown_pipeline(name, services.catalog, "name")
        raise PipelineNotFoundError(problem.message, hint=problem.hint)
    return card


def _label(choice: Any) -> str:
    return str(choice).replace("_", " ")
