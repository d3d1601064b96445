"""Where everything lies under `FRAMEGATE_HOME`: the one table of folders and files.

| path | what |
| --- | --- |
| `framegate.db` | the adapter's own database (keys, idempotency) |
| `installation` | an id that the database has, too: no home is started with another's |
| `media/ab/abcd…` | an uploaded file, stored once under its SHA-256 |
| `media/ab/abcd….json` | what probing it gave |
| `media/paths/abcd….json` | the same of a file in a media root, under a hash of its path |
| `uploads/` | uploads under way; emptied when the API starts |
| `jobs/<run id>/results/<pipeline>/` | published results: appear by rename, whole |
| `jobs/<run id>/partial/<pipeline>/` | what a running pipeline is writing |
| `jobs/<run id>/thumbnails/<pipeline>.jpg` | what the Dagster UI shows of a preview |
| `jobs/<run id>/progress.json` | {pipeline: fraction}, replaced atomically |
| `jobs/<run id>/under_way.json` | the pipeline under way, whose time the supervisor counts |
| `jobs/<run id>/cancellation.json` | who asked to cancel, and why |
| `jobs/<run id>/worker.log` | what the run worker printed outside its ops |
| `jobs/<run id>/keep` | where it exists, retention never deletes the job |
| `audit/actions.jsonl` | the audit log: who did what |
| `audit/retention.jsonl` | a line for everything that retention deleted, or would have |
| `webhooks/targets/<key>.json` | where the jobs of a key's owner are announced, with the secret |
| `webhooks/outbox/<target>/` | announcements that are still to be delivered |
| `webhooks/failed/<target>/` | those that were given up, with the reason; kept for 30 days |
| `dagster/` | DAGSTER_HOME |
| `logs/<part>.log` | what each process of the stack printed |
| `presets/<name>.yaml` | pipelines with a config, under one name |
| `inbox/<pipeline or preset>/` | videos dropped here are run; `rejected/` has those that cannot |
| `run/` | sockets, locks and leases of the running stack |
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Home:
    root: Path

    @property
    def database(self) -> Path:
        return self.root / "framegate.db"

    @property
    def installation(self) -> Path:
        return self.root / "installation"

    @property
    def uploads(self) -> Path:
        return self.root / "uploads"

    @property
    def dagster(self) -> Path:
        return self.root / "dagster"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def fork_server_socket(self) -> Path:
        """Where the fork server of run workers listens."""
        return self.run / "workers.sock"

    @property
    def webserver_socket(self) -> Path:
        """Where Dagster's webserver listens."""
        return self.run / "webserver.sock"

    @property
    def sign_in_links(self) -> Path:
        """A file for each link that signs in once, named after a hash of its secret."""
        return self.run / "sign_in"

    @property
    def memory_limits(self) -> Path:
        """By what means runs are held to their memory limits."""
        return self.run / "memory_limits.json"

    @property
    def jobs(self) -> Path:
        return self.root / "jobs"

    @property
    def presets(self) -> Path:
        return self.root / "presets"

    @property
    def inbox(self) -> Path:
        """Where the inbox is unless `FRAMEGATE_INBOX` puts it elsewhere."""
        return self.root / "inbox"

    @property
    def all_media(self) -> Path:
        return self.root / "media"

    @property
    def media_lock(self) -> Path:
        """Held while media enters or leaves the store."""
        return self.run / "media.lock"

    @property
    def audit(self) -> Path:
        """The audit log: a line for each action of a person; see contracts/audit.py."""
        return self.root / "audit" / "actions.jsonl"

    @property
    def retention_audit(self) -> Path:
        return self.root / "audit" / "retention.jsonl"

    @property
    def webhook_targets(self) -> Path:
        return self.root / "webhooks" / "targets"

    @property
    def webhook_outbox(self) -> Path:
        return self.root / "webhooks" / "outbox"

    @property
    def failed_webhooks(self) -> Path:
        return self.root / "webhooks" / "failed"

    def webhook_target(self, owner: str) -> Path:
        return self.webhook_targets / f"{owner}.json"

    def media(self, sha256: str) -> Path:
        return self.root / "media" / sha256[:2] / sha256

    def media_facts(self, sha256: str) -> Path:
        return self.media(sha256).with_name(f"{sha256}.json")

    def media_path_facts(self, path_hash: str) -> Path:
        return self.root / "media" / "paths" / f"{path_hash}.json"

    def job(self, run_id: str) -> Path:
        return self.jobs / run_id

    def results(self, run_id: str) -> Path:
        return self.job(run_id) / "results"

    def partial(self, run_id: str) -> Path:
        return self.job(run_id) / "partial"

    def thumbnail(self, run_id: str, pipeline: str) -> Path:
        return self.job(run_id) / "thumbnails" / f"{pipeline}.jpg"

    def progress(self, run_id: str) -> Path:
        return self.job(run_id) / "progress.json"

    def under_way(self, run_id: str) -> Path:
        return self.job(run_id) / "under_way.json"

    def worker_log(self, run_id: str) -> Path:
        return self.job(run_id) / "worker.log"

    def keep(self, run_id: str) -> Path:
        return self.job(run_id) / "keep"

    def cancellation(self, run_id: str) -> Path:
        return self.job(run_id) / "cancellation.json"

    def out_of_service(self, uuid: str) -> Path:
        """A file in it for each run whose memory does not come back, while that is waited for."""
        return self.run / "out_of_service" / uuid
