"""Launches one run per `Idempotency-Key`, for submissions and for retries."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from anyio import to_thread

from api.dagster.client import DagsterClient
from api.dagster.run import Run
from api.dependencies import Services
from api.errors import (
    FramegateError,
    IdempotencyInFlightError,
    InternalServerError,
    JobNotFoundError,
    OrchestratorSilentError,
)
from api.submissions.idempotency import Claim

_MAY_HAVE_LAUNCHED = (OrchestratorSilentError, InternalServerError)


@dataclass(frozen=True)
class LaunchResult:
    """`is_replay`: the run had been launched for the same Idempotency-Key before."""

    run: Run
    is_replay: bool = False


async def launch_once(
    services: Services,
    claim: Claim,
    launch: Callable[[str], Awaitable[Run]],
) -> LaunchResult:
    """`launch` is told the id that the run is to have, and may be called by several at once: it
    makes one run of that id.

    Raises what `launch` raises, and IdempotencyInFlightError.
    """
    if claim.run_id:
        try:
            return LaunchResult(await services.dagster.run(claim.run_id), is_replay=True)
        except JobNotFoundError:  # retention deleted it, or somebody did in the Dagster UI
            claim = await to_thread.run_sync(services.idempotency.renew, claim)
    if not claim.is_first and (found := await _find(services.dagster, claim.launch_id)):
        await to_thread.run_sync(services.idempotency.complete, claim, found.run_id)
        return LaunchResult(found, is_replay=True)
    if not claim.is_mine:
        raise IdempotencyInFlightError(
            "A request with this Idempotency-Key is under way.",
            hint="Try again in a moment: it will then answer with that job.",
            headers={"Retry-After": "1"},
        )
    try:
        run = await launch(claim.launch_id)
    except FramegateError as error:
        if not isinstance(error, _MAY_HAVE_LAUNCHED):
            await to_thread.run_sync(services.idempotency.release, claim)
        raise
    await to_thread.run_sync(services.idempotency.complete, claim, run.run_id)
    return LaunchResult(run)


async def _find(dagster: DagsterClient, run_id: str) -> Run | None:
    try:
        return await dagster.run_state(run_id)
    except JobNotFoundError:
        return None
