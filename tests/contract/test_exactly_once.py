"""One job for one Idempotency-Key, on the real stack, whatever is killed in between."""

import io
import time
import wave
from asyncio import gather, sleep
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from dagster import DagsterInstance, RunsFilter

from api.dagster.client import DagsterClient
from api.dagster.run import RunStatus
from api.dagster.socket import DAGSTER_URL, SocketTransport
from api.dagster.transport import GraphqlTransport
from api.stack.events import StackReady
from contracts.home import Home
from contracts.run import IDEMPOTENCY_KEY_TAG, LAUNCH_TAG, PROBE_OP

AGAIN = 3
CLIENTS = 50
KEYS = 20
PATIENCE = 120.0

Post = Callable[[str], httpx.Response]
OpenDagster = Callable[[], AbstractContextManager[DagsterInstance]]


@pytest.fixture(scope="module")
def media(rest: httpx.Client) -> str:
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(16000)
        sound.writeframes(bytes(3200))
    submitted = rest.post(
        "/api/v1/jobs",
        files={"video": ("silence.wav", file.getvalue())},
        data={"selected_pipelines": "misbehaving"},
    )
    assert submitted.status_code == 201, submitted.text
    return str(submitted.json()["media"])


@pytest.fixture
def post(rest: httpx.Client, media: str) -> Post:
    """Submits with an Idempotency-Key; always the same job."""

    def post(key: str) -> httpx.Response:
        return rest.post(
            "/api/v1/jobs",
            json={"media": media, "pipelines": ["misbehaving"]},
            headers={"Idempotency-Key": key},
        )

    return post


@pytest.fixture
def runs_of(its_dagster: OpenDagster) -> Callable[[str], list[str]]:
    """The runs that Dagster itself has for a key."""

    def find(key: str) -> list[str]:
        with its_dagster() as dagster:
            return dagster.get_run_ids(RunsFilter(tags={IDEMPOTENCY_KEY_TAG: key}))

    return find


@pytest.fixture
def api_process(stack: StackReady) -> psutil.Process:
    [process] = [
        each
        for each in psutil.Process().children(recursive=True)
        if each.cmdline()[1:] == ["-m", "api"] and _home(each) == stack.home
    ]
    return process


def _home(process: psutil.Process) -> str | None:
    return process.environ().get("FRAMEGATE_HOME")


def _until_answered(post: Post, key: str) -> httpx.Response:
    """As clients retry: while the API is away, and while another submission is under way."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            answer = post(key)
        except httpx.TransportError:
            answer = httpx.Response(503)
        if answer.status_code not in {409, 503}:
            return answer
        assert time.monotonic() < deadline, answer.text
        time.sleep(0.2)


def test_one_key_posted_by_fifty_at_once_makes_one_run(
    post: Post, runs_of: Callable[[str], list[str]]
) -> None:
    with ThreadPoolExecutor(CLIENTS) as clients:
        answers = list(clients.map(post, ["fifty-at-once"] * CLIENTS))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.keys() <= {201, 409}
    jobs = {answer.json()["id"] for answer in answers if answer.status_code == 201}
    assert [*jobs] == runs_of("fifty-at-once")


@pytest.mark.anyio
async def test_one_launch_asked_of_the_webserver_again_and_again_makes_one_run(
    stack: StackReady, post: Post, runs_of: Callable[[str], list[str]]
) -> None:
    """As when the first one hangs and is taken over. The run fails, so that it can be retried."""
    known = post("a-run-to-copy").json()["id"]
    socket = SocketTransport(Home(Path(stack.home)).webserver_socket, connections=AGAIN)
    dagster = DagsterClient(GraphqlTransport(DAGSTER_URL, timeout=60.0, transport=socket))
    launch, retry = ({LAUNCH_TAG: str(uuid4())} for _ in range(2))
    copied = await dagster.run(known)
    probing = {"config": {"media": "there is no such media"}}
    config = {"ops": {**copied.config["ops"], PROBE_OP: probing}}
    tags = {**copied.tags, **launch, IDEMPOTENCY_KEY_TAG: "again-and-again"}
    launched = await gather(
        *(
            dagster.launch(copied.job_name, selection=None, config=config, tags=tags)
            for _ in range(AGAIN)
        )
    )
    [run] = runs_of("again-and-again")
    while not (await dagster.run_state(run)).status.is_terminal:  # noqa: ASYNC110 - nobody tells
        await sleep(0.2)
    late = await dagster.launch(copied.job_name, selection=None, config=config, tags=tags)
    retried = await gather(*(dagster.reexecute(run, tags=retry) for _ in range(AGAIN)))
    await dagster.close()

    assert {each.run_id for each in [*launched, late]} == {run, launch[LAUNCH_TAG]}
    assert late.status is RunStatus.FAILURE
    assert {each.run_id for each in retried} == {retry[LAUNCH_TAG]}
    assert runs_of("again-and-again") == [run]


@pytest.fixture
def impatient(stack: StackReady, admin_key: str, media: str) -> Iterator[Callable[[str], Any]]:
    """Submits on a connection of its own, and puts up with being cut off."""
    clients = [
        httpx.Client(base_url=stack.url, headers={"X-API-Key": admin_key}, timeout=30.0)
        for _ in range(KEYS)
    ]
    free = iter(clients)

    def post(key: str) -> int:
        try:
            answer = next(free).post(
                "/api/v1/jobs",
                json={"media": media, "pipelines": ["misbehaving"]},
                headers={"Idempotency-Key": key},
            )
        except httpx.TransportError:
            return 0
        return answer.status_code

    yield post
    for client in clients:
        client.close()


@pytest.mark.slow
def test_the_api_killed_while_it_submits_loses_nothing_and_doubles_nothing(
    api_process: psutil.Process,
    post: Post,
    impatient: Callable[[str], int],
    runs_of: Callable[[str], list[str]],
) -> None:
    keys = [f"killed-{number}" for number in range(KEYS)]
    with ThreadPoolExecutor(KEYS) as clients:
        cut_off = [clients.submit(impatient, key) for key in keys]
        while not any(future.done() for future in cut_off):
            time.sleep(0.001)  # some have been answered, some are at Dagster, some wait
        api_process.kill()
        statuses = Counter(future.result() for future in cut_off)
    assert statuses[0] > 0, "nobody was cut off"
    before = {key: runs_of(key) for key in keys}
    assert any(before.values())

    for key in keys:
        answer = _until_answered(post, key)
        assert answer.status_code == 201, answer.text
        [run] = runs_of(key)
        assert answer.json()["id"] == run
        assert before[key] in ([], [run])
