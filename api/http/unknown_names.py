"""Names that a request uses and the route does not take: query parameters and form fields."""

from collections.abc import Iterable, Sequence

from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute
from starlette.requests import Request

from api.errors import InvalidRequestError
from pipelines.registry import wording

#: A shorter name is part of too many others.
_SHORTEST_WORD = 3
#: The query parameter in which browsers present a key; see `RoleAccess`.

TOKEN = "token"  # noqa: S105 - the parameter's name, not a secret


def check_query(request: Request, *, with_token: bool = False) -> None:
    """Raises InvalidRequestError for a query parameter that the route does not declare."""
    if request.query_params:
        known = [*_query_parameters(request.scope["route"]), *([TOKEN] if with_token else [])]
        check_names("query parameter", request.query_params, known)


def check_names(kind: str, given: Iterable[str], known: Sequence[str]) -> None:
    """Raises InvalidRequestError for the first of `given` that is not `known`."""
    for name in given:
        if name not in known:
            raise unknown_name(kind, name, known)


def unknown_name(kind: str, name: str, known: Sequence[str]) -> InvalidRequestError:
    """`kind` is what the name stands for: "query parameter", "form field"."""
    shown = wording.clean(name, limit=80)
    return InvalidRequestError(
        f"There is no {kind} {shown!r} here.", field=shown, hint=_hint(kind, name, known)
    )


def _query_parameters(route: APIRoute) -> list[str]:
    fields = get_flat_params(route.dependant)
    return [field.alias for field in fields if isinstance(field.field_info, Query)]


def _hint(kind: str, name: str, known: Sequence[str]) -> str:
    if near := wording.nearest(name, known) or _longer(name, known):
        return f"Did you mean '{near}'?"
    if not known:
        return f"This address takes no {kind}: remove it."
    return f"It takes {wording.names(known)}."


def _longer(name: str, known: Sequence[str]) -> str | None:
    """The known name that `name` is a word of: `pipeline` of `selected_pipelines`."""
    word = name.strip().lower()
    return next((each for each in known if len(word) >= _SHORTEST_WORD and word in each), None)
