"""`/api/v1/keys`: administrators make, list and revoke API keys."""

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, WithJsonSchema

from api.auth.audit import record as record_action
from api.auth.keys import KeyRecord, create_key, list_keys, revoke_key
from api.auth.roles import Role
from api.auth.webhooks import add_webhook, check_webhook_url, remove_webhook, webhook_hosts
from api.dependencies import Admin, CurrentServices, Services
from api.errors import NotFoundError
from api.http.fields import documented, read_model
from api.http.responses import KEYED, WITH_BODY, errors
from contracts import patterns
from contracts.timestamps import Timestamp, from_datetime
from contracts.webhook import host_of

router = APIRouter(prefix="/api/v1/keys", tags=["keys"])


class NewKey(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    name: Annotated[str, WithJsonSchema({"type": "string", "pattern": patterns.OWNER})]
    role: Role
    expires_at: AwareDatetime | None = None
    webhook_url: str | None = Field(
        None, description="URL to notify when jobs of this key's owner end.", max_length=2000
    )


class Key(BaseModel):
    """A key without its secret."""

    id: str
    name: str
    role: Role
    created_at: Timestamp
    expires_at: Timestamp | None
    revoked_at: Timestamp | None
    webhook_host: str | None = Field(
        description="The receiver that is notified when its owner's jobs end."
    )

    @classmethod
    def of(cls, record: KeyRecord, webhook_host: str | None) -> "Key":
        return cls(
            id=record.id,
            name=record.name,
            role=record.role,
            created_at=from_datetime(record.created_at),
            expires_at=record.expires_at and from_datetime(record.expires_at),
            revoked_at=record.revoked_at and from_datetime(record.revoked_at),
            webhook_host=webhook_host,
        )


class CreatedKey(Key):
    """`key` is the secret: shown now, and never again. So is what its webhook signs with."""

    key: str
    webhook_secret: str | None


class KeyList(BaseModel):
    keys: list[Key]


@router.get(
    "",
    operation_id="listKeys",
    responses=errors(*KEYED),
)
async def index(_admin: Admin, services: CurrentServices) -> KeyList:
    records = await to_thread.run_sync(list_keys, services.database)
    hosts = await to_thread.run_sync(webhook_hosts, services.home)
    return KeyList(keys=[Key.of(record, hosts.get(record.id)) for record in records])


@router.post(
    "",
    operation_id="createKey",
    status_code=201,
    responses=errors(*KEYED, *WITH_BODY),
    openapi_extra=documented(NewKey),
)
async def create(admin: Admin, services: CurrentServices, request: Request) -> CreatedKey:
    body = await read_model(request, NewKey, services.settings.max_json_bytes)
    if body.webhook_url:
        check_webhook_url(body.webhook_url)
    key = await to_thread.run_sync(_create, services, body)
    await record_action(
        services.home, request, admin, "key.create", key_id=key.id, name=key.name, role=key.role
    )
    return key


@router.delete(
    "/{key_id}",
    operation_id="revokeKey",
    status_code=204,
    responses=errors(*KEYED, NotFoundError),
)
async def revoke(admin: Admin, services: CurrentServices, request: Request, key_id: str) -> None:
    record = await to_thread.run_sync(revoke_key, services.database, key_id)
    await to_thread.run_sync(remove_webhook, services.home, record)
    await record_action(
        services.home, request, admin, "key.revoke", key_id=record.id, name=record.name
    )


def _create(services: Services, body: NewKey) -> CreatedKey:
    """With its webhook, or not at all: a key whose secret nobody was shown would keep its name."""
    record, secret = create_key(
        services.database, role=body.role, name=body.name, expires_at=body.expires_at
    )
    url, webhook_secret = body.webhook_url, None
    if url:
        try:
            webhook_secret = add_webhook(services.home, record, url)
        except Exception:
            revoke_key(services.database, record.id)
            raise
    key = Key.of(record, host_of(url) if url else None)
    return CreatedKey(**key.model_dump(), key=secret, webhook_secret=webhook_secret)
