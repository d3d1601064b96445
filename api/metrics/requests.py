"""HTTP requests: how many of which kind, and how long their answers took to begin."""

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import Scope

from api.metrics.labels import OTHER

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class RequestMetrics:
    """A time ends when the answer begins: how fast a client takes a download says nothing of us."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._count = Counter(
            "framegate_http_requests",
            "Requests by the route's template and the class of the answer's status; "
            "aborted ones had no answer.",
            ["method", "route", "status"],
            registry=registry,
        )
        self._duration = Histogram(
            "framegate_http_request_duration",
            "Seconds from a request's first byte to its answer's first byte.",
            ["method", "route"],
            unit="seconds",
            buckets=_SECONDS,
            registry=registry,
        )

    def observe(self, scope: Scope, status: int, seconds: float) -> None:
        """`status` is 0 for a request that ended without an answer."""
        method = scope["method"] if scope["method"] in _METHODS else OTHER
        route = route_template(scope)
        self._count.labels(method, route, f"{status // 100}xx" if status else "aborted").inc()
        self._duration.labels(method, route).observe(seconds)


def route_template(scope: Scope) -> str:
    """`/api/v1/jobs/{job_id}`, whichever job; all addresses at which there is nothing are one."""
    return str(getattr(scope.get("route"), "path", "unmatched"))
