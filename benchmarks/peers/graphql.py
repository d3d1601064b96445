"""The few questions that measurements ask a Dagster webserver."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

_EVENTS = """
query Events($run: ID!) {
  logsForRun(runId: $run) {
    ... on EventConnection {
      events { ... on MessageEvent { eventType timestamp message stepKey } }
    }
  }
}
"""


@dataclass(frozen=True)
class RunEvent:
    """`timestamp` in seconds since the epoch."""

    kind: str
    timestamp: float
    message: str
    step: str | None


def ask(client: httpx.Client, document: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """The answer's data. Raises RuntimeError with what Dagster says otherwise."""
    response = client.post("/graphql", json={"query": document, "variables": dict(variables)})
    body: dict[str, Any] = response.json()
    if response.is_error or body.get("errors"):
        raise RuntimeError(f"{response.status_code} {body}")
    data: dict[str, Any] = body["data"]
    return data


def event_log(client: httpx.Client, run: str) -> Iterator[RunEvent]:
    for event in ask(client, _EVENTS, {"run": run})["logsForRun"]["events"]:
        yield RunEvent(
            str(event["eventType"]),
            int(event["timestamp"]) / 1000,
            event["message"],
            event["stepKey"],
        )
