"""Values from outside, checked against a model; what is wrong is told field by field."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import to_json
from starlette.requests import Request

from api.errors import InvalidRequestError
from api.http.json_body import off_event_loop, read_json
from api.http.unknown_names import check_names

Model = TypeVar("Model", bound=BaseModel)

_MAX_SHOWN_ERRORS = 50


async def read_model(request: Request, model: type[Model], limit: int) -> Model:
    """The request's JSON body as a model. Raises what `read_json` and `check` raise."""
    value, length = await read_json(request, limit)
    return await off_event_loop(request, lambda: check(model, value), length)


def check(model: type[Model], value: Any) -> Model:
    """Raises InvalidRequestError that names every field at fault. `value` is of JSON's types, and
    is judged as JSON: a time is a string then, and no number is one.
    """
    try:
        return model.model_validate_json(to_json(value))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_input=False, include_context=False)
        for problem in problems:
            if problem["type"] == "extra_forbidden" and len(problem["loc"]) == 1:
                check_names("field", map(str, problem["loc"]), [*model.model_fields])
        raise invalid_fields(
            (".".join(map(str, problem["loc"])), problem["msg"]) for problem in problems
        ) from error


def invalid_fields(problems: Iterable[tuple[str, str]]) -> InvalidRequestError:
    """From fields and what is wrong with each; the first of them is named in the message."""
    shown = [
        {"field": field[:200], "message": message}
        for field, message in islice(problems, _MAX_SHOWN_ERRORS)
    ]
    first = shown[0]
    return InvalidRequestError(
        f"{first['field']}: {first['message']}" if first["field"] else first["message"],
        field=first["field"] or None,
        detail={"errors": shown},
    )


def documented(model: type[BaseModel], *, required: bool = True) -> dict[str, Any]:
    """For a route's `openapi_extra=`: the body that it reads by itself."""
    content = {"application/json": {"schema": model.model_json_schema()}}
    return {"requestBody": {"required": required, "content": content}}
