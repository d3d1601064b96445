"""Dagster: its webserver, its daemons' heartbeats, and how many runs wait and run."""

import time

from api.dagster.client import DagsterClient
from api.dagster.run import DaemonState, InstanceState
from api.health.deadline import Deadline, ProbeError
from api.health.report import DaemonHealth, OrchestratorHealth, PartStatus
from contracts.timestamps import from_epoch

#: A daemon writes a heartbeat every 30 s. Dagster itself calls one healthy for half an hour
#: after its last; here two missed ones in a row are enough.
_STALE_SECONDS = 75


async def probe_orchestrator(dagster: DagsterClient, deadline: Deadline) -> OrchestratorHealth:
    try:
        state = await deadline.wait(dagster.instance())
    except ProbeError as error:
        return OrchestratorHealth(
            status=PartStatus.ERROR,
            version=None,
            daemons=[],
            queued=None,
            running=None,
            run_limit=None,
            error=str(error),
        )
    return judge(state, time.time())


def judge(state: InstanceState, now: float) -> OrchestratorHealth:
    """Daemons that this instance does not need are left out."""
    daemons = [_daemon(daemon, now) for daemon in state.daemons if daemon.required]
    defects = [f"{daemon.name}: {daemon.error}" for daemon in daemons if not daemon.healthy]
    return OrchestratorHealth(
        status=PartStatus.ERROR if defects else PartStatus.OK,
        version=state.version,
        daemons=daemons,
        queued=state.queued,
        running=state.running,
        run_limit=state.run_limit,
        error="; ".join(defects) or None,
    )


def _daemon(daemon: DaemonState, now: float) -> DaemonHealth:
    error = _error(daemon, now)
    return DaemonHealth(
        name=daemon.kind,
        healthy=error is None,
        last_heartbeat=from_epoch(daemon.last_heartbeat_at),
        error=error,
    )


def _error(daemon: DaemonState, now: float) -> str | None:
    if daemon.last_heartbeat_at is None:
        return "The daemon has never run"
    age = now - daemon.last_heartbeat_at
    if age > _STALE_SECONDS:
        return f"The daemon has sent no heartbeat for {age:.0f} s"
    if daemon.errors:
        return daemon.errors[0][:500]
    return None if daemon.healthy else "The daemon is not healthy"
