"""Deletes what a plan names, after a last look at each: the world went on since stock was taken."""

import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from dagster import DagsterInstance, RunsFilter

from contracts.home import Home
from contracts.stored_media import locked_store, remove_media
from orchestration.dagster_internals.tags import PARENT_RUN_ID_TAG
from orchestration.maintenance.annotation_records import UNDER_WAY
from orchestration.maintenance.audit import AuditLog
from orchestration.maintenance.retention_plan import Policy, Removal, What, Why
from orchestration.maintenance.stock import run_records, stored_media_of


class Remover:
    def __init__(
        self, home: Home, instance: DagsterInstance, policy: Policy, audit: AuditLog
    ) -> None:
        self._home = home
        self._instance = instance
        self._policy = policy
        self._audit = audit

    def remove(self, plan: Sequence[Removal]) -> list[Removal]:
        """What was deleted. Jobs go first: only then it is clear which media nobody refers to."""
        others = [removal for removal in plan if removal.what is not What.MEDIA]
        media = [removal for removal in plan if removal.what is What.MEDIA]
        removed = [removal for removal in others if self._remove(removal)]
        if not media:
            return removed
        unused_since = time.time() - self._policy.grace
        referred = {stored_media_of(record) for record in run_records(self._instance)}
        return removed + [
            removal
            for removal in media
            if removal.name not in referred and self._remove(removal, unused_since)
        ]

    def _remove(self, removal: Removal, unused_since: float | None = None) -> bool:
        if removal.why is Why.SPACE and self._has_enough_space():
            return False
        if unused_since is None:
            unused_since = self._policy.now - self._policy.grace
        try:
            match removal.what:
                case What.JOB:
                    return self._remove_job(removal)
                case What.MEDIA:
                    return self._remove_media(removal, unused_since)
                case What.LEFTOVER:
                    return self._remove_leftover(removal, unused_since)
        except OSError as error:
            self._audit.write(removal, error=str(error))
            return False

    def _has_enough_space(self) -> bool:
        return shutil.disk_usage(self._home.root).free >= self._policy.free_bytes

    def _remove_job(self, removal: Removal) -> bool:
        """The run first: a job that can be seen has its results, whole."""
        folder = self._home.job(removal.name)
        if self._home.keep(removal.name).exists() or self._is_being_retried(removal.name):
            return False
        self._audit.write(removal)
        self._instance.delete_run(removal.name)
        self._instance.compute_log_manager.delete_logs(prefix=[removal.name])
        if folder.exists():
            shutil.rmtree(folder)
        return True

    def _is_being_retried(self, run_id: str) -> bool:
        retries = RunsFilter(tags={PARENT_RUN_ID_TAG: run_id}, statuses=UNDER_WAY)
        return self._instance.get_runs_count(retries) > 0

    def _remove_media(self, removal: Removal, unused_since: float) -> bool:
        self._audit.write(removal)
        if remove_media(self._home, removal.name, unused_since=unused_since):
            return True
        self._audit.write(removal, error="kept: a submission uses it again")
        return False

    def _remove_leftover(self, removal: Removal, unused_since: float) -> bool:
        path = Path(removal.name)
        if path.parent == self._home.jobs and self._instance.has_run(path.name):
            return False
        with locked_store(self._home):
            if not path.exists() or path.stat().st_mtime >= unused_since:
                return False
            self._audit.write(removal)
            _delete(path)
        return True


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()
