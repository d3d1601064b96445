"""Every way to misbehave, on the stack that the tests share: each run ends, for a true reason, and
leaves nothing behind. All of them run side by side, so each is a neighbour of every other.
"""

import time
import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.stack.events import StackReady
from contracts.home import Home
from tests.webserver import ask_dagster

_SECONDS = 240.0
_PAGE = 50


@dataclass(frozen=True)
class Ended:
    """What a job is to end as. `says` is in its message; `place` whether that names the line."""

    code: str | None = None
    says: str = ""
    place: bool = False


WELL = Ended()


def raised(says: str) -> Ended:
    return Ended("PIPELINE_FAILED", says, place=True)


def wrong(says: str) -> Ended:
    return Ended("PIPELINE_FAILED", says)


WAYS: Mapping[str, Ended] = {
    # what it returns
    "returns_nothing": wrong("returned None, not Findings"),
    "returns_a_dictionary": wrong("returned dict, not Findings"),
    "returns_a_generator": wrong("returned generator, not Findings"),
    "returns_a_coroutine": wrong("returned coroutine, not Findings"),
    "counts_below_zero": wrong("count must be a whole number, 0 or more; it is -1"),
    "counts_nan": wrong("count must be a whole number, 0 or more; it is nan"),
    "counts_in_words": wrong("count must be a whole number, 0 or more; it is 'many'"),
    "fact_of_nothing": wrong("facts.n must be text or a number"),
    "fact_that_is_nan": wrong("facts.n must be text or a number"),
    "fact_with_a_number_for_a_name": wrong("a name in facts must be text"),
    "table_of_text": wrong("table must be a list"),
    "row_of_lists": wrong("table[0].a must be text or a number"),
    "notes_in_one_text": wrong("notes must be a list"),
    "time_below_zero": wrong("timings.decode_seconds must be a number, 0 or more"),
    "no_noun": wrong("noun must be text"),
    "surrogates_everywhere": WELL,
    "controls_everywhere": WELL,
    # files
    "names_nothing_more": WELL,
    "names_what_is_not_there": wrong("named 'nothing.csv' in its findings, but did not write it"),
    "names_a_file_above": wrong("named '../outside.txt'"),
    "names_a_file_elsewhere": wrong("named '/etc/passwd'"),
    "names_a_link": wrong("'passwd' in its findings, which is not a regular file"),
    "names_a_link_beside_it": wrong("not a regular file"),
    "names_a_pipe": wrong("not a regular file"),
    "names_a_folder": wrong("not a regular file"),
    "names_a_file_in_a_folder": wrong("a result is a file in its folder itself"),
    "names_no_utf_8": wrong("cannot be shown"),
    "names_two_lines": wrong("cannot be shown"),
    "names_one_twice": wrong("more than once"),
    "names_the_manifest": wrong("Framegate writes that file itself"),
    "leaves_a_pipe_and_a_link": WELL,
    "leaves_a_folder_of_others": WELL,
    "deletes_its_folder": wrong("removed or replaced the folder for its results"),
    "deletes_the_run": wrong("removed or replaced the folder for its results"),
    "replaces_its_folder_by_a_link": wrong("removed or replaced the folder for its results"),
    "replaces_its_folder_by_a_file": wrong("removed or replaced the folder for its results"),
    "publishes_by_itself": WELL,
    # what it raises
    "raises": raised("ValueError: as asked"),
    "raises_without_text": raised("AssertionError"),
    "exits": raised("SystemExit: 3"),
    "exits_with_a_text": raised("SystemExit: no model here"),
    "interrupts_itself": raised("KeyboardInterrupt"),
    "exits_a_generator": raised("GeneratorExit: over"),
    "cancels_a_task": raised("CancelledError: enough"),
    "stops_an_iteration": raised("StopIteration: end"),
    "raises_what_is_no_exception": raised("OwnError: of my own"),
    "raises_a_group": raised("ExceptionGroup: two at once"),
    "raises_what_has_no_text": raised("SilentError: its text cannot be read"),
    "raises_what_exits_when_read": raised("LeavingError: its text cannot be read"),
    "raises_what_reads_as_a_number": raised("NumberError: its text cannot be read"),
    "raises_a_book": Ended("PIPELINE_FAILED", "ValueError: xxxx"),
    "raises_because_of_a_book": raised("RuntimeError: because of a book"),
    "raises_surrogates": raised("FileNotFoundError: [Errno 2] No such file or directory: 'caf"),
    "raises_half_a_character": raised("ValueError: caf\N{REPLACEMENT CHARACTER}"),
    "raises_controls": raised("gone"),
    "raises_html": raised("<script>alert(1)</script>"),
    "recurses": raised("RecursionError"),
    "raises_a_long_chain": raised("RuntimeError: at the end of a chain"),
    "raises_in_a_circle": raised("ValueError: first"),
    "runs_out_of_memory": Ended("HOST_OUT_OF_MEMORY"),
    "may_not": Ended("PERMISSION_DENIED", "/secret"),
    "imports_what_is_not_there": raised("ModuleNotFoundError: No module named 'nowhere"),
    "asks_dagster_to_retry": raised("RetryRequested"),
    "pretends_to_be_cancelled": Ended("RUN_FAILED", "interrupted"),
    # its process
    "forks_and_returns": WELL,
    "forks_and_raises": WELL,
    "forks_and_exits": WELL,
    "forks_many": WELL,
    "leaves_a_child_at_work": WELL,
    "leaves_a_daemon": WELL,
    "lets_the_child_return": Ended("WORKER_LOST", "exit code 4"),
    "ends_at_once": Ended("WORKER_LOST", "exit code 0"),
    "ends_with_a_code": Ended("WORKER_LOST", "exit code 3"),
    "becomes_another_program": Ended("WORKER_LOST", "exit code 0"),
    "crashes": Ended("WORKER_KILLED", "SIGSEGV"),
    "aborts": Ended("WORKER_KILLED", "SIGABRT"),
    "kills_itself": Ended("WORKER_KILLED", "SIGKILL"),
    "signals_itself": Ended("RUN_FAILED", "interrupted"),
    "terminates_itself": Ended("RUN_FAILED", "interrupted"),
    "sets_an_alarm": Ended("WORKER_KILLED", "SIGALRM"),
    "starts_threads_without_end": WELL,
    "closes_all_files": wrong("closed files that it had not opened"),
    "closes_every_file": wrong("closed files that it had not opened"),
    "closes_the_output": wrong("closed files that it had not opened"),
    "closes_sys_stdout": WELL,
    "removes_sys_stdout": WELL,
    "prints_no_utf_8": WELL,
    "prints_a_book": WELL,
    "writes_into_every_pipe": WELL,
    "tells_its_end_itself": WELL,
    "ignores_every_signal": WELL,
    "blocks_every_signal": WELL,
    "goes_elsewhere": WELL,
    "goes_where_nothing_is": WELL,
    "lets_nobody_read": WELL,
    "empties_the_environment": WELL,
    "allows_no_depth": WELL,
    "allows_no_more_files": Ended("WORKER_LOST", "exit code 1"),
    "leaves_its_session": WELL,
    "silences_the_log": WELL,
    "kills_its_children": WELL,
    "writes_into_other_runs": WELL,
    "forges_its_progress": WELL,
    "locks_the_database": WELL,
}


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
        if "orchestration.launcher.server" in _command(process) and home in _home(process)
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
