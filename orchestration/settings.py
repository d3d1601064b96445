"""What orchestration reads from the environment, once per process."""

import os
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import available_timezones

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

from contracts.database import is_postgresql, parse_url
from contracts.home import Home
from contracts.logs import LogFormat, LogLevel
from contracts.project import default_home
from contracts.webhook import Target, check_secret, check_url
from orchestration.dagster_internals.automation import is_valid_cron_schedule
from pipelines.registry.devices import Inventory
from pipelines.registry.spec import TimeLimit, load_object

#: In settings by pipeline, the name that stands for every pipeline that is not named.
ALL_PIPELINES = "*"


class Settings(BaseSettings):
    """Environment variables of the form `FRAMEGATE_<NAME>`."""

    model_config = SettingsConfigDict(
        env_prefix="FRAMEGATE_", extra="ignore", hide_input_in_errors=True
    )

    home: Path = Field(default_factory=default_home, description="Folder of all state.")
    database_url: str = Field(
        default="", repr=False, description="PostgreSQL for everything; empty for SQLite in home."
    )
    database_connections: int = Field(
        default=8, ge=2, description="To PostgreSQL, from each part of the stack."
    )
    gpu_slots: int = Field(default=1, ge=1, description="Runs that may share one GPU.")
    cpu_slots: int = Field(
        default_factory=lambda: max(1, len(os.sched_getaffinity(0)) // 2),
        ge=1,
        description="Runs of GPU pipelines at once that use the processor in place of a GPU.",
    )
    memory_limits_gb: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        default={}, description="Memory that a run may hold, by pipeline; * for all others."
    )
    time_limits: dict[str, TimeLimit] = Field(
        default={}, description="How long a pipeline may take, by pipeline; * for all others."
    )
    pipeline_environment: tuple[str, ...] = Field(
        default=(),
        description="Variables of the environment that pipelines see besides the usual ones.",
    )
    timezone: str | None = Field(
        default=None, description="IANA time zone of schedules; empty for the machine's own."
    )
    library_roots: tuple[Path, ...] = Field(
        default=(), description="Folders whose videos the nightly batch keeps annotated."
    )
    batch_cron: str = Field(default="0 2 * * *", description="When the nightly batch starts.")
    batch_pipelines: tuple[str, ...] = Field(
        default=(), description="Pipelines of the nightly batch; none for all enabled by default."
    )
    batch_limit: int = Field(default=100, ge=1, description="Jobs that one batch may queue.")
    retention: Literal["off", "dry-run", "on"] = Field(
        default="off", description="Whether old jobs and media are swept away every night."
    )
    retention_cron: str = Field(default="0 4 * * *", description="When the nightly sweep starts.")
    retention_days: int = Field(
        default=90, ge=1, description="How long a finished job and unused media are kept."
    )
    retention_free_gb: float = Field(
        default=0.0, ge=0.0, description="Free space that the sweep aims for; 0 for none."
    )
    inbox: Path | None = Field(
        default=None, description="Folder that videos are dropped into; none for one in the home."
    )
    inbox_interval_seconds: int = Field(
        default=30, ge=1, description="How often the inbox is scanned."
    )
    inbox_quiet_seconds: float = Field(
        default=10.0, gt=0, description="How long a dropped file must not have changed."
    )
    inbox_link_results: bool = Field(
        default=False, description="Whether results are linked beside the video in the inbox."
    )
    host: str = Field(default="127.0.0.1", description="Address that the API listens on.")
    port: int = Field(default=8000, description="Port of the API.")
    public_url: str | None = Field(
        default=None, description="Where others reach the API; none for its own address."
    )
    webhook_url: str | None = Field(
        default=None, description="URL that is notified when a job ends."
    )
    webhook_secret: str | None = Field(
        default=None, repr=False, description="Secret that signs its messages: whsec_…"
    )
    inventory: str = Field(
        default="pipelines.registry.devices:NvmlInventory",
        description='"module:class" of the inventory of devices.',
    )
    log_format: LogFormat = Field(default="text", description="Lines for people, or JSON.")
    log_level: LogLevel = Field(default="info", description="The lowest level that is logged.")

    @field_validator("timezone")
    @classmethod
    def _is_timezone(cls, name: str | None) -> str | None:
        if name is not None and name not in available_timezones():
            raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin")
        return name

    @field_validator("batch_cron", "retention_cron")
    @classmethod
    def _is_cron(cls, cron: str) -> str:
        if not is_valid_cron_schedule(cron):
            raise ValueError(f"{cron!r} is not a cron schedule such as '0 2 * * *'")
        return cron

    @model_validator(mode="after")
    def _is_webhook(self) -> Self:
        if bool(self.webhook_url) != bool(self.webhook_secret):
            raise ValueError("a webhook has a URL and a secret: set both or none")
        if self.webhook_url and self.webhook_secret:
            check_url(self.webhook_url)
            check_secret(self.webhook_secret)
        return self

    @property
    def api_url(self) -> str:
        """Where the API is, for people to follow."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def webhook(self) -> Target | None:
        """The one that is told of everybody's jobs."""
        if not (self.webhook_url and self.webhook_secret):
            return None
        return Target(self.webhook_url, self.webhook_secret)

    @property
    def folders(self) -> Home:
        return Home(self.home.resolve())

    @property
    def inbox_root(self) -> Path:
        return self.inbox.expanduser().resolve() if self.inbox else self.folders.inbox

    @property
    def postgresql(self) -> URL | None:
        """None for SQLite. Raises ValueError."""
        url = parse_url(self.database_url) if self.database_url else None
        return url if url and is_postgresql(url) else None

    def load_inventory(self) -> Inventory:
        inventory: Inventory = load_object(self.inventory)()
        return inventory
