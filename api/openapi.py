"""What `/openapi.json` says, where the framework would say something else than what is done."""

import json
from typing import Any

from fastapi import FastAPI

#: Browsers can set no header on an event stream or a download.
TOKEN: dict[str, Any] = {"security": [{"Token": []}]}
#: A key is looked at, but not asked for.
OPTIONAL_KEY: dict[str, Any] = {"security": [{}]}

_TOKEN_SCHEME = {"type": "apiKey", "in": "query", "name": "token"}
_FOREIGN_SCHEMAS = ("HTTPValidationError", "ValidationError")


class DescribedApp(FastAPI):
    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = _corrected(super().openapi())
        return self.openapi_schema


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    schemas = document["components"]["schemas"]
    for operation in operations:
        _drop_foreign_error(operation["responses"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schemas |= content["schema"].pop("$defs", {})
    for name in _FOREIGN_SCHEMAS:
        schemas.pop(name, None)
    document["components"]["securitySchemes"]["Token"] = _TOKEN_SCHEME
    moved = json.dumps(document).replace("#/$defs/", "#/components/schemas/")
    corrected: dict[str, Any] = json.loads(moved)
    return corrected


def _drop_foreign_error(responses: dict[str, Any]) -> None:
    """The framework's own 422 is never sent: handlers make it our 400."""
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]
