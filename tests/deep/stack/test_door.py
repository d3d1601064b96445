"""The door of the real stack: one port, Dagster's own refusals, and whose runs are whose."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.stack.events import StackReady
from api.stack.lock import find_running
from contracts.door import ACCESS_HEADER, LAUNCHED_BY_TAG, READ, USER_HEADER
from contracts.home import Home
from contracts.run import KIND, KIND_TAG, OWNER_TAG, PROBE_OP
from tests.webserver import webserver_of

PATIENCE = 60.0
LAUNCH = """
mutation Launch($parameters: ExecutionParams!) {
  launchRun(executionParams: $parameters) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
  }
}
"""
TAGS = "query Tags($run: ID!) { runOrError(runId: $run) { ... on Run { tags { key value } } } }"
FORGED = {OWNER_TAG: "somebody", LAUNCHED_BY_TAG: "somebody", KIND_TAG: KIND}

Ask = Callable[..., Any]


@pytest.fixture
def parameters() -> dict[str, Any]:
    """Of a run that fails at once, whose tags claim that it is somebody else's."""
    return {
        "selector": {
            "repositoryLocationName": "framegate",
            "repositoryName": "__repository__",
            "jobName": "speech_activity",
        },
        "runConfigData": {"ops": {PROBE_OP: {"config": {"media": "there is no such media"}}}},
        "executionMetadata": {
            "tags": [{"key": key, "value": value} for key, value in FORGED.items()]
        },
    }


@pytest.fixture
def ask(rest: httpx.Client) -> Ask:
    """Asks Dagster through the door, as an administrator."""

    def ask(document: str, **variables: Any) -> Any:
        question = {"query": document, "variables": variables}
        return rest.post("/dagster/graphql", json=question, timeout=PATIENCE).json()["data"]

    return ask


def test_the_stack_listens_on_one_tcp_port(stack: StackReady) -> None:
    running = find_running(Home(Path(stack.home)).run)
    assert running
    tree = psutil.Process(running.pid)
    ports = {
        connection.laddr.port
        for process in (tree, *tree.children(recursive=True))
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }

    assert ports == {httpx.URL(stack.url).port}


def test_no_other_account_can_open_the_webservers_socket(stack: StackReady) -> None:
    socket = Home(Path(stack.home)).webserver_socket

    assert socket.is_socket()
    assert [path.stat().st_mode & 0o077 for path in (socket, socket.parent)] == [0, 0]


def test_a_run_belongs_to_whoever_launched_it_whatever_its_tags_claim(
    ask: Ask, rest: httpx.Client, parameters: dict[str, Any]
) -> None:
    run = ask(LAUNCH, parameters=parameters)["launchRun"]["run"]["runId"]
    tags = {tag["key"]: tag["value"] for tag in ask(TAGS, run=run)["runOrError"]["tags"]}

    assert (tags[OWNER_TAG], tags[LAUNCHED_BY_TAG]) == ("admin", "admin")
    assert rest.get(f"/api/v1/jobs/{run}").json()["owner"] == "admin"


def test_a_run_that_framegate_launches_keeps_its_owner(
    stack: StackReady, ask: Ask, parameters: dict[str, Any]
) -> None:
    with webserver_of(stack.home) as webserver:
        question = {"query": LAUNCH, "variables": {"parameters": parameters}}
        launched = webserver.post("/graphql", json=question).json()["data"]["launchRun"]
    tags = ask(TAGS, run=launched["run"]["runId"])["runOrError"]["tags"]

    assert {"key": OWNER_TAG, "value": "somebody"} in tags


def test_dagster_itself_refuses_what_a_reader_may_not(
    stack: StackReady, parameters: dict[str, Any]
) -> None:
    """Should the door ever let a mutation through."""
    headers = {USER_HEADER: "rob", ACCESS_HEADER: READ}
    with webserver_of(stack.home) as webserver:
        question = {"query": LAUNCH, "variables": {"parameters": parameters}}
        answer = webserver.post("/graphql", json=question, headers=headers).json()

    assert answer["data"]["launchRun"]["__typename"] == "UnauthorizedError"


def test_a_file_of_the_ui_comes_through_unchanged(stack: StackReady, rest: httpx.Client) -> None:
    with webserver_of(stack.home) as webserver:
        direct = webserver.get("/favicon.svg")
    through = rest.get("/dagster/favicon.svg")

    assert through.content == direct.content
    assert through.headers["Content-Type"] == direct.headers["Content-Type"]
