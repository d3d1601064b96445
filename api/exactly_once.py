"""One run for one `Idempotency-Key`: what submissions and retries launch alike."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from anyio import to_thread

from api.dagster.client import DagsterClient
from api.dagster.run import Run, RunFilter
from api.dependencies import Services
from api.errors import (
    FramegateError,
    IdempotencyInFlightError,
    InternalServerError,
    JobNotFoundError,
    OrchestratorSilentError,
)
from api.idempotency import Claim

_MAY_HAVE_LAUNCHED = (OrchestratorSilentError, InternalServerError)


@dataclass(frozen=True)
class Outcome:
    """`is_replay`: the run had been launched for the same Idempotency-Key before."""

    run: Run
    is_replay: bool = False


async def launch_once(
    services: Services,
    claim: Claim,
    launch: Callable[[], Awaitable[Run]],
    *,
    tags: Mapping[str, str],
) -> Outcome:
    """After an attempt that is under way or was cut off, `tags` tell whether there is a run.

    Raises what `launch` raises, and IdempotencyInFlightError.
    """
    if claim.run_id:
        try:
            return Outcome(await services.dagster.run(claim.run_id), is_replay=True)
        except JobNotFoundError:  # retention deleted it, or somebody did in the Dagster UI
            claim = await to_thread.run_sync(services.idempotency.renew, claim)
    if not claim.is_first and (found := await _find(services.dagster, tags)):
        await to_thread.run_sync(services.idempotency.complete, claim, found.run_id)
        return Outcome(found, is_replay=True)
    if not claim.is_mine:
        raise IdempotencyInFlightError(
            "A request with this Idempotency-Key is under way.",
            hint="Try again in a moment: it will then answer with that job.",
            headers={"Retry-After": "1"},
        )
    try:
        run = await launch()
    except FramegateError as error:
        if not isinstance(error, _MAY_HAVE_LAUNCHED):
            await to_thread.run_sync(services.idempotency.release, claim)
        raise
    await to_thread.run_sync(services.idempotency.complete, claim, run.run_id)
    return Outcome(run)


async def _find(dagster: DagsterClient, tags: Mapping[str, str]) -> Run | None:
    page = await dagster.runs(RunFilter(tags=tags), limit=1)
    return page.runs[0] if page.runs else None
