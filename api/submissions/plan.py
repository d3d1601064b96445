"""What a submission means: which pipelines with which configs on which media, checked as a whole
before anything is queued, then launched once.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from anyio import to_thread

from api.auth.roles import Principal
from api.dagster.client import DagsterClient
from api.dagster.run import Run
from api.dependencies import Services
from api.errors import (
    GpuOutOfMemoryError,
    InvalidConfigError,
    InvalidRequestError,
    PipelineNotFoundError,
    ValidationUnavailableError,
)
from api.http.schemas import JobSubmission
from api.media.store import StoredMedia
from api.submissions.idempotency import fingerprint
from api.submissions.launch import LaunchResult, launch_once
from api.units import GIGABYTE
from contracts.run import (
    LAUNCH_TAG,
    Submission,
    job_name,
    op_selection,
    run_config,
    run_tags,
)
from contracts.timestamps import now
from pipelines.registry.catalog import Catalog
from pipelines.registry.devices import Device
from pipelines.registry.memory import fits_no_device, gpu_memory
from pipelines.registry.problems import ProblemCode
from pipelines.registry.schema import SchemaUnavailableError
from pipelines.registry.validation import Verdict, validate_configs

log = logging.getLogger("framegate.jobs")


@dataclass(frozen=True)
class Plan:
    """A submission whose pipelines and configs are known to be good."""

    pipelines: tuple[str, ...]
    config: Mapping[str, Mapping[str, Any]]
    tags: Mapping[str, str]
    priority: int


def plan(
    body: JobSubmission, catalog: Catalog, devices: Sequence[Device], *, pipelines_field: str
) -> Plan:
    """Raises InvalidRequestError, InvalidConfigError, PipelineNotFoundError,
    ValidationUnavailableError, GpuOutOfMemoryError.
    """
    named = _defaults(catalog) if body.pipelines is None else dict.fromkeys(body.pipelines)
    pipelines = tuple(named)
    if not pipelines:
        raise InvalidRequestError(
            "No pipeline is selected.",
            field=pipelines_field,
            hint=f"Select some of: {', '.join(catalog.names)}.",
        )
    try:
        verdict = validate_configs(
            pipelines, body.config, catalog, devices, pipelines_field=pipelines_field
        )
    except SchemaUnavailableError as error:
        raise ValidationUnavailableError(str(error)) from error
    if not verdict.valid:
        raise _invalid(verdict)
    _check_memory(verdict, catalog, devices)
    config = {name: body.config[name] for name in pipelines if name in body.config}
    return Plan(pipelines, config, body.tags, body.priority)


async def launch(
    services: Services,
    plan: Plan,
    media: StoredMedia,
    principal: Principal,
    *,
    request_id: str,
    idempotency_key: str | None,
) -> LaunchResult:
    """Queues the run. Raises OrchestratorUnavailableError, IdempotencyInFlightError,
    IdempotencyMismatchError.
    """
    submission = Submission(
        media=media.reference,
        media_hash=media.sha256,
        facts=media.facts,
        pipelines=plan.pipelines,
        config=plan.config,
        owner=principal.name,
        submitted_at=now(),
        request_id=request_id,
        priority=plan.priority,
        idempotency_key=idempotency_key,
        tags=plan.tags,
    )
    if idempotency_key is None:
        return LaunchResult(await _launch(services.dagster, submission))
    meaning = fingerprint({"media": media.sha256, **asdict(plan)})
    claim = await to_thread.run_sync(
        services.idempotency.claim, principal.name, idempotency_key, meaning
    )
    return await launch_once(
        services,
        claim,
        lambda launch_id: _launch(services.dagster, submission, {LAUNCH_TAG: launch_id}),
    )


async def _launch(
    dagster: DagsterClient, submission: Submission, tags: Mapping[str, str] = MappingProxyType({})
) -> Run:
    run = await dagster.launch(
        job_name(submission.pipelines),
        selection=op_selection(submission.pipelines),
        config=run_config(submission),
        tags={**run_tags(submission), **tags},
    )
    log.info(
        "a job is queued",
        extra={"job_id": run.run_id, "pipelines": ",".join(submission.pipelines)},
    )
    return run


def _defaults(catalog: Catalog) -> list[str]:
    return [name for name, card in catalog.cards.items() if card.default_enabled]


def _invalid(verdict: Verdict) -> InvalidConfigError | PipelineNotFoundError:
    """A pipeline that does not exist comes first: nothing else can be put right before."""
    unknown = [each for each in verdict.errors if each.code is ProblemCode.PIPELINE_NOT_FOUND]
    first = (unknown or verdict.errors)[0]
    kind = PipelineNotFoundError if unknown else InvalidConfigError
    return kind(
        f"{first.field}: {first.message}",
        field=first.field,
        hint=first.hint,
        detail={
            "errors": [asdict(error) for error in verdict.errors],
            "warnings": [asdict(warning) for warning in verdict.warnings],
        },
    )


def _check_memory(verdict: Verdict, catalog: Catalog, devices: Sequence[Device]) -> None:
    for name, config in verdict.configs.items():
        required = gpu_memory(catalog.cards[name], config)
        if not fits_no_device(required, devices):
            continue
        raise GpuOutOfMemoryError(
            f"{name} is expected to need more GPU memory than any device here has.",
            field=f"config.{name}",
            hint="Choose a smaller batch, a smaller size or device 'cpu'.",
            detail={
                "required_gb": round(required / GIGABYTE, 3),
                "available_gb": round(max(device.memory_total for device in devices) / GIGABYTE, 3),
            },
        )
