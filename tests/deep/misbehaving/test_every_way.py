"""Every way to misbehave, on the stack that the tests share: each run ends, for a true reason, and
leaves nothing behind. All of them run side by side, so each is a neighbour of every other.
"""

import time
import wave
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.stack.events import StackReady
from contracts.home import Home
from tests.deep.misbehaving.expected_ends import WAYS
from tests.webserver import ask_dagster

_SECONDS = 240.0
_PAGE = 50


@pytest.fixture(scope="module")
def home(stack: StackReady) -> Home:
    return Home(Path(stack.home))


@pytest.fixture(scope="module")
def jobs(
    stack: StackReady, rest: httpx.Client, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, str]]:
    """The id of each way's job, all submitted at once. When they are over, nothing that they
    started is left.
    """
    before = _processes(stack)
    clip = tmp_path_factory.mktemp("media") / "silence.wav"
    with wave.open(str(clip), "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        sound.writeframes(bytes(3200))
    media = None
    ids: dict[str, str] = {}
    for way in WAYS:
        if media is None:
            ids[way] = _upload(rest, clip, way)
            media = rest.get(f"/api/v1/jobs/{ids[way]}").json()["media"]
            continue
        body = {"media": media, "pipelines": ["ways"], "config": {"ways": {"way": way}}}
        posted = rest.post("/api/v1/jobs", json=body)
        assert posted.status_code == 201, posted.text
        ids[way] = posted.json()["id"]
    yield ids
    for job in ids.values():
        _wait(rest, job)
    deadline = time.monotonic() + 60.0
    while left := _processes(stack) - before:
        assert time.monotonic() < deadline, left
        time.sleep(0.1)


def _upload(rest: httpx.Client, clip: Path, way: str) -> str:
    posted = rest.post(
        "/api/v1/jobs",
        files={"video": ("silence.wav", clip.read_bytes())},
        data={"selected_pipelines": "ways", "config": f'{{"ways": {{"way": "{way}"}}}}'},
    )
    assert posted.status_code == 201, posted.text
    job: str = posted.json()["id"]
    return job


def _processes(stack: StackReady) -> set[psutil.Process]:
    """The run workers and supervisors, and all that they started, of the stack."""
    home = str(stack.home)
    return {
        process
        for process in psutil.process_iter()
        if "orchestration.launcher.fork_server" in _command(process) and home in _home(process)
    }


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _home(process: psutil.Process) -> str:
    try:
        return process.environ().get("FRAMEGATE_HOME", "")
    except psutil.Error:
        return ""


def _wait(rest: httpx.Client, job: str) -> dict[str, Any]:
    deadline = time.monotonic() + _SECONDS
    while True:
        answer = rest.get(f"/api/v1/jobs/{job}")
        assert answer.status_code == 200, answer.text
        seen: dict[str, Any] = answer.json()
        if seen["status"] in {"completed", "failed", "cancelled"}:
            return seen
        assert time.monotonic() < deadline, seen
        time.sleep(0.1)


@pytest.mark.parametrize("way", WAYS)
def test_a_run_that_misbehaves_ends_for_a_true_reason_and_leaves_nothing(
    rest: httpx.Client, jobs: Mapping[str, str], home: Home, way: str
) -> None:
    expected = WAYS[way]
    job = jobs[way]
    ended = _wait(rest, job)

    assert ended["status"] == ("failed" if expected.code else "completed"), ended["error"]
    if expected.code:
        assert ended["error"]["code"] == expected.code, ended["error"]
        assert expected.says in ended["error"]["message"]
        assert len(ended["error"]["message"]) < 1000
        assert ("framegate_misbehaving/ways" in ended["error"]["message"]) == expected.place
    assert str(home.root) not in (ended["error_message"] or "")
    assert not home.partial(job).exists() or list(home.partial(job).iterdir()) == []
    assert not (home.run / "leases" / f"{job}.json").exists()
    assert (home.results(job) / "ways").exists() == (expected.code is None)
    _await_absence(home.run / "runs" / f"{job}.sock")


def _await_absence(path: Path) -> None:
    deadline = time.monotonic() + 60.0
    while path.exists():
        assert time.monotonic() < deadline, f"{path} stays"
        time.sleep(0.05)


def test_no_run_that_misbehaves_takes_the_list_of_all_with_it(
    rest: httpx.Client, jobs: Mapping[str, str]
) -> None:
    for job in jobs.values():
        _wait(rest, job)
    seen: set[str] = set()
    cursor = ""
    while True:
        query = {"per_page": _PAGE, "pipeline": "ways"} | ({"cursor": cursor} if cursor else {})
        page = rest.get("/api/v1/jobs", params=query)
        assert page.status_code == 200
        seen |= {job["id"] for job in page.json()["jobs"]}
        cursor = page.json()["next_cursor"]
        if not cursor:
            break
    assert seen >= set(jobs.values())
    assert rest.get("/metrics").status_code == 200


_PAGES = """
query Pages($id: ID!) {
  runOrError(runId: $id) {
    __typename
    ... on PythonError { message }
    ... on Run { runId status tags { key value } runConfigYaml stepStats { stepKey status } }
  }
  logsForRun(runId: $id) {
    __typename
    ... on PythonError { message }
    ... on EventConnection { events { __typename ... on MessageEvent { message } } }
  }
}
"""


def test_dagsters_own_pages_show_every_run_that_misbehaves(
    rest: httpx.Client, stack: StackReady, jobs: Mapping[str, str]
) -> None:
    for job in jobs.values():
        _wait(rest, job)
        data = ask_dagster(stack.home, _PAGES, id=job)
        assert data["runOrError"]["__typename"] == "Run"
        assert data["logsForRun"]["__typename"] == "EventConnection"
