"""What `/openapi.json` says, where the framework would say something else than what is done."""

import json
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.http.responses import CODES
from api.http.wording import add_wording

#: Markdown; what stands above the operations.
INTRODUCTION = Path(__file__).parents[1] / "docs" / "introduction.md"
#: The groups of operations, in the order in which clients come to need them.
TAGS = [
    {"name": "jobs", "description": "Submit videos, follow what becomes of them, cancel, retry."},
    {"name": "results", "description": "Fetch what a finished job left: files, report, ZIP."},
    {"name": "events", "description": "Be told when jobs change instead of asking."},
    {"name": "pipelines", "description": "Learn what can be run here, and how it is configured."},
    {"name": "validation", "description": "Check configs before they are submitted."},
    {"name": "health", "description": "Watch the service."},
    {"name": "keys", "description": "Say who may do what. For administrators."},
]
_SECURITY_SCHEMES = {
    "ApiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "Bearer": {"type": "http", "scheme": "bearer"},
    # Browsers can set no header on an event stream or a download.
    "Token": {"type": "apiKey", "in": "query", "name": "token"},
}
_FOREIGN_SCHEMAS = ("HTTPValidationError", "ValidationError")


class DescribedApp(FastAPI):
    def setup(self) -> None:
        """Ours goes before the framework's own route, which writes the document each time."""
        self.add_route(str(self.openapi_url), self._show, include_in_schema=False)
        super().setup()

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            _add_security(document, self)
            add_wording(document)
            self.openapi_schema = _corrected(document)
        return self.openapi_schema

    async def _show(self, request: Request) -> Response:
        content, tag = self._written
        headers = {"Cache-Control": "no-cache", "ETag": tag}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, media_type="application/json", headers=headers)

    @cached_property
    def _written(self) -> tuple[bytes, str]:
        """The document and its ETag."""
        content = json.dumps(self.openapi(), ensure_ascii=False).encode()
        return content, f'"{sha256(content).hexdigest()}"'


def _add_security(document: dict[str, Any], app: FastAPI) -> None:
    """As the rule in each route's signature has it."""
    document["components"]["securitySchemes"] = _SECURITY_SCHEMES
    for route in app.routes:
        if isinstance(route, APIRoute) and route.include_in_schema:
            for method in route.methods or ():
                operation = document["paths"][route.path_format][method.lower()]
                operation["security"] = _security(route)


def _security(route: APIRoute) -> list[dict[str, list[str]]]:
    rules = [rule.call for rule in route.dependant.dependencies if hasattr(rule.call, "security")]
    return list(getattr(rules[0], "security", [])) if rules else []


def _corrected(document: dict[str, Any]) -> dict[str, Any]:
    operations = [each for methods in document["paths"].values() for each in methods.values()]
    schemas = document["components"]["schemas"]
    for operation in operations:
        _drop_foreign_error(operation["responses"])
        _list_codes(operation)
        for content in operation.get("requestBody", {}).get("content", {}).values():
            _name_schema(content, schemas)
    for name in _FOREIGN_SCHEMAS:
        schemas.pop(name, None)
    moved = json.dumps(document).replace("#/$defs/", "#/components/schemas/")
    corrected: dict[str, Any] = json.loads(moved)
    return corrected


def _name_schema(content: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Moves the schema of a body that a route reads by itself to the others, by its title: so
    generated clients call it by that name, too.
    """
    schema = content["schema"]
    if title := schema.get("title"):
        schemas |= schema.pop("$defs", {})
        schemas[title] = schema
        content["schema"] = {"$ref": f"#/components/schemas/{title}"}


def _drop_foreign_error(responses: dict[str, Any]) -> None:
    """The framework's own 422 is never sent: handlers make it our 400."""
    if "HTTPValidationError" in str(responses.get("422")):
        del responses["422"]


def _list_codes(operation: dict[str, Any]) -> None:
    """As the contracts do: the codes of all answers in one place, by status."""
    operation[CODES] = {
        status: response.pop(CODES)
        for status, response in operation["responses"].items()
        if CODES in response
    }
