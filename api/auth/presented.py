"""Where a request carries its API key."""

from collections.abc import Mapping


def presented_key(headers: Mapping[str, str]) -> str | None:
    """As `X-API-Key: …` or `Authorization: Bearer …`."""
    if key := headers.get("x-api-key"):
        return key
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    return credentials.strip() if scheme.lower() == "bearer" and credentials else None
