"""What a submission means: which pipelines with which configs on which media, checked as a whole
before anything is queued, then launched once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from anyio import to_thread

from api.auth.roles import Principal
from api.dagster.client import DagsterClient
from api.dagster.run import Run, RunFilter
from api.dependencies import Services
from api.errors import (
    FramegateError,
    GpuOutOfMemoryError,
    IdempotencyInFlightError,
    InternalServerError,
    InvalidConfigError,
    InvalidRequestError,
    OrchestratorSilentError,
    ValidationUnavailableError,
)
from api.idempotency import Claim, fingerprint
from api.media import StoredMedia
from api.schemas import JobSubmission
from api.timestamps import now
from contracts.run import (
    IDEMPOTENCY_KEY_TAG,
    OWNER_TAG,
    Submission,
    job_name,
    op_selection,
    run_config,
    run_tags,
)
from pipelines.registry.catalog import Catalog
from pipelines.registry.devices import Device
from pipelines.registry.memory import fits_no_device, gpu_memory
from pipelines.registry.schema import SchemaUnavailableError
from pipelines.registry.validation import Verdict, validate_configs

_GIGABYTE = 1000**3
_MAY_HAVE_LAUNCHED = (OrchestratorSilentError, InternalServerError)


@dataclass(frozen=True)
class Plan:
    """A submission whose pipelines and configs are known to be good."""

    pipelines: tuple[str, ...]
    config: Mapping[str, Mapping[str, Any]]
    tags: Mapping[str, str]
    priority: int


@dataclass(frozen=True)
class Outcome:
    """`is_replay`: the run had been launched for the same Idempotency-Key before."""

    run: Run
    is_replay: bool = False


async def plan(services: Services, body: JobSubmission, *, pipelines_field: str) -> Plan:
    """Raises InvalidRequestError, InvalidConfigError, GpuOutOfMemoryError."""
    devices = await services.devices.current()
    return decide(body, services.catalog, devices, pipelines_field=pipelines_field)


def decide(
    body: JobSubmission, catalog: Catalog, devices: Sequence[Device], *, pipelines_field: str
) -> Plan:
    """As `plan`, purely."""
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
) -> Outcome:
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
        return Outcome(await _launch(services.dagster, submission))
    meaning = fingerprint({"media": media.sha256, **asdict(plan)})
    claim = await to_thread.run_sync(
        services.idempotency.claim, principal.name, idempotency_key, meaning
    )
    return await _launch_once(services, submission, claim)


async def _launch_once(services: Services, submission: Submission, claim: Claim) -> Outcome:
    """After an attempt that is under way or was cut off, the tag tells whether there is a run."""
    if claim.run_id:
        return Outcome(await services.dagster.run(claim.run_id), is_replay=True)
    if not claim.is_first and (found := await _find(services.dagster, claim)):
        await to_thread.run_sync(services.idempotency.complete, claim, found.run_id)
        return Outcome(found, is_replay=True)
    if not claim.is_mine:
        raise IdempotencyInFlightError(
            "A submission with this Idempotency-Key is under way.",
            hint="Try again in a moment: it will then answer with that job.",
            headers={"Retry-After": "1"},
        )
    try:
        run = await _launch(services.dagster, submission)
    except FramegateError as error:
        if not isinstance(error, _MAY_HAVE_LAUNCHED):
            await to_thread.run_sync(services.idempotency.release, claim)
        raise
    await to_thread.run_sync(services.idempotency.complete, claim, run.run_id)
    return Outcome(run)


async def _find(dagster: DagsterClient, claim: Claim) -> Run | None:
    tags = {IDEMPOTENCY_KEY_TAG: claim.key, OWNER_TAG: claim.owner}
    page = await dagster.runs(RunFilter(tags=tags), limit=1)
    return page.runs[0] if page.runs else None


async def _launch(dagster: DagsterClient, submission: Submission) -> Run:
    return await dagster.launch(
        job_name(submission.pipelines),
        selection=op_selection(submission.pipelines),
        config=run_config(submission),
        tags=run_tags(submission),
    )


def _defaults(catalog: Catalog) -> list[str]:
    return [name for name, card in catalog.cards.items() if card.default_enabled]


def _invalid(verdict: Verdict) -> InvalidConfigError:
    first = verdict.errors[0]
    return InvalidConfigError(
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
                "required_gb": round(required / _GIGABYTE, 3),
                "available_gb": round(
                    max(device.memory_total for device in devices) / _GIGABYTE, 3
                ),
            },
        )
