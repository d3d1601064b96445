"""The sensor that sees jobs end: it logs them, announces them, and delivers what is announced.

One sensor for success, failure and cancellation, and for the delivery: each sensor's tick costs
the idle machine something, whatever it finds (see docs/decisions/0012-webhooks.md).
"""

import logging

from dagster import (
    DefaultSensorStatus,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)

from contracts.webhook import Target, read_targets
from orchestration.settings import Settings
from orchestration.webhooks.announcement import JobEnd, log_fields, message
from orchestration.webhooks.delivery import deliver
from orchestration.webhooks.job_ends import SENSOR, Cursor, job_ends
from orchestration.webhooks.outbox import Entry, Outbox

_INTERVAL_SECONDS = 15
#: Where nobody asked to be told, only the log waits for the next tick.
_IDLE_INTERVAL_SECONDS = 30
#: Dagster gives a sensor a minute.
_DELIVERY_SECONDS = 25.0
_DESCRIPTION = """
Logs every job that ends, and tells those who asked to be told: the receiver of
`FRAMEGATE_WEBHOOK_URL`, and those of API keys. What cannot be delivered is tried again for a day.
While this sensor is off nothing is sent; jobs that end meanwhile are announced when it is on again.
"""

logger = logging.getLogger("framegate.jobs")


def build_job_end_sensor(settings: Settings) -> SensorDefinition:
    outbox = Outbox(settings.folders)
    is_needed = bool(_targets(settings))

    @sensor(
        name=SENSOR,
        minimum_interval_seconds=_INTERVAL_SECONDS if is_needed else _IDLE_INTERVAL_SECONDS,
        default_status=DefaultSensorStatus.RUNNING,
        description=_DESCRIPTION,
    )
    def _job_ends(context: SensorEvaluationContext) -> SkipReason:
        targets = _targets(settings)
        ends, cursor = job_ends(context.instance, Cursor.read(context.cursor))
        for end in ends:
            logger.info("job ended", extra=log_fields(end))
            announce(end, targets, outbox, api_url=settings.api_url)
        # Once what came before is on disk; a tick that is cut off announces it again, as the same.
        context.update_cursor(cursor.write())
        count = deliver(outbox, targets, budget_seconds=_DELIVERY_SECONDS)
        ended = f"{len(ends)} jobs ended" if ends else "No job ended"
        return SkipReason(f"{ended}; webhooks: {count}." if str(count) else f"{ended}.")

    return _job_ends


def _targets(settings: Settings) -> list[Target]:
    everybody = settings.webhook
    return [*([everybody] if everybody else []), *read_targets(settings.folders)]


def announce(end: JobEnd, targets: list[Target], outbox: Outbox, *, api_url: str) -> None:
    """Puts a message for each target that wants to know into the outbox."""
    for target in targets:
        if target.wants(end.owner, end.ended_at):
            outbox.add(
                Entry(
                    name=f"{end.ended_at * 1000:015.0f}-{end.run.run_id}.json",
                    target=target.name,
                    message_id=end.message_id(target.name),
                    body=message(end, outbox.home, api_url=api_url),
                    announced_at=end.ended_at,
                )
            )
