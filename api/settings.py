"""What can be set, read once from the environment (`FRAMEGATE_…`) and passed in."""

from pathlib import Path
from typing import Literal, Self

from pydantic import (
    Field,
    IPvAnyNetwork,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from api.auth.origin import is_loopback
from api.local_url import local_url
from api.units import GIGABYTE
from contracts.database import parse_url
from contracts.door import DAGSTER_PREFIX
from contracts.home import Home
from contracts.logs import LogFormat, LogLevel
from contracts.project import default_home


class Settings(BaseSettings):
    """Lists are given as JSON: `FRAMEGATE_MEDIA_ROOTS='["/data/videos"]'`."""

    model_config = SettingsConfigDict(
        env_prefix="FRAMEGATE_", frozen=True, hide_input_in_errors=True
    )

    home: Path = Field(default_factory=default_home)
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65535)
    #: Where others reach this address, if not by `host` and `port`: behind a reverse proxy.
    public_url: str | None = None
    #: Names under which this address is called, beside IP addresses, `localhost`, the machine's own
    #: name and that of `public_url`.
    allowed_hosts: tuple[str, ...] = ()
    #: postgresql://… for all that is kept in a database; empty for SQLite under `home`.
    database_url: str = Field("", repr=False)
    #: To PostgreSQL, from each part of the stack; see docs/operations.md for the sum.
    database_connections: int = Field(8, ge=2)
    auth: Literal["on", "off"] = "on"
    cors_origins: tuple[str, ...] = ()
    #: Addresses and networks of reverse proxies, which may say whom they forward for.
    trusted_proxies: tuple[IPvAnyNetwork, ...] = ()
    #: Folders whose files may be submitted by path.
    media_roots: tuple[Path, ...] = ()
    #: The folder of a web viewer's build, which is served at /viewer.
    viewer: Path | None = None
    max_upload_bytes: PositiveInt = 20 * GIGABYTE
    #: An upload is refused with 507 when it would leave less than this on the disk.
    minimum_free_bytes: NonNegativeInt = GIGABYTE
    max_json_bytes: PositiveInt = 1000**2
    #: Event streams, and WebSockets of the Dagster UI, that one key may have open.
    streams_per_key: PositiveInt = 200
    #: How long an Idempotency-Key is remembered.
    idempotency_days: PositiveInt = 30
    #: How long Dagster may take to answer one question.
    dagster_timeout: PositiveFloat = 20.0
    #: How long a cancellation is waited for; a launcher needs at most its grace and the kill.
    cancel_timeout: PositiveFloat = 25.0
    #: How long probing an upload may take.
    media_timeout: PositiveFloat = 20.0
    #: "module:class" of what lists the GPUs; tests put a fake here.
    inventory: str = "pipelines.registry.devices:NvmlInventory"
    #: The deadline of each part of the detailed health answer.
    probe_timeout: PositiveFloat = 2.0
    #: Of every process: lines for people, or JSON for machines.
    log_format: LogFormat = "text"
    log_level: LogLevel = "info"

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, text: str) -> str:
        if text:
            parse_url(text)
        return text

    @field_validator("viewer")
    @classmethod
    def _built_viewer(cls, folder: Path | None) -> Path | None:
        if folder and not (folder / "index.html").is_file():
            raise ValueError(
                f"{str(folder)!r} has no index.html: name the folder that a viewer's build made"
            )
        return folder

    @model_validator(mode="after")
    def _off_only_on_loopback(self) -> Self:
        if self.auth == "off" and not is_loopback(self.host):
            raise ValueError(
                f"authentication may be off on a loopback address only, and {self.host!r} is none"
            )
        if self.auth == "off" and self.trusted_proxies:
            raise ValueError("authentication may not be off behind a proxy")
        return self

    @property
    def paths(self) -> Home:
        return Home(self.home.expanduser().resolve())

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.paths.database}"

    @property
    def url(self) -> str:
        """Where people reach this address."""
        return (self.public_url or local_url(self.host, self.port)).rstrip("/")

    def run_url(self, run_id: str) -> str:
        """Where people look at a run."""
        return f"{self.url}{DAGSTER_PREFIX}/runs/{run_id}"
