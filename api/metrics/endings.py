"""Which jobs have ended since the last look. Each is told once, whatever is written on it later."""

import time
from collections.abc import AsyncIterator

from api.dagster.observer import EndedRun, Observer
from api.jobs.description import is_job

_PAGE = 100
#: A run may be written a moment after another that ended later: look that far back again.
_OVERLAP_SECONDS = 10.0
#: After a long time without a look, what ended before is let go.
_MOST_SECONDS = 3600.0


class Endings:
    """Begins with what ends after `since`, in seconds since the epoch."""

    def __init__(self, observer: Observer, since: float) -> None:
        self._observer = observer
        self._since = since
        self._seen_until = since
        self._told: dict[str, float] = {}

    async def look(self) -> AsyncIterator[EndedRun]:
        """Newest first. Raises OrchestratorUnavailableError; the next look then tells the rest."""
        self._seen_until = max(self._seen_until, time.time() - _MOST_SECONDS)
        after = max(self._since, self._seen_until - _OVERLAP_SECONDS)
        cursor: str | None = None
        while True:
            page = await self._observer.ended_runs(updated_after=after, limit=_PAGE, cursor=cursor)
            for ended in page:
                if self._is_news(ended, after):
                    yield ended
            if len(page) < _PAGE:
                break
            cursor = page[-1].run.run_id
        self._move_on()

    def _is_news(self, ended: EndedRun, after: float) -> bool:
        """A tag that is put on a run long after its end makes it appear again."""
        ended_at = ended.run.ended_at or 0.0
        if not is_job(ended.run) or ended_at < after or ended.run.run_id in self._told:
            return False
        self._told[ended.run.run_id] = ended_at
        return True

    def _move_on(self) -> None:
        self._seen_until = max([self._seen_until, *self._told.values()])
        kept_from = self._seen_until - _OVERLAP_SECONDS
        self._told = {run: moment for run, moment in self._told.items() if moment >= kept_from}
