"""How commands fail: with an exit code for programs, and words for people."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from api.cli.client import job_path
from api.cli.errors import UsageError
from api.cli.submit import read_config
from api.stack.events import StackReady
from contracts.project import PROJECT
from tests.conftest import Framegate
from tests.ports import free_port


class _NotFramegate(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<html>hello</html>")

    def log_message(self, *_arguments: object) -> None: ...


@pytest.fixture
def other_server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _NotFramegate) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["job"], ["submit", "/no/such/file"], ["validate", "scene_detection", "{"]],
)
def test_a_wrong_command_line_exits_with_2(framegate: Framegate, arguments: list[str]) -> None:
    failed = framegate(*arguments)

    assert failed.returncode == 2
    assert failed.stdout == ""


@pytest.mark.parametrize(
    ("config", "why"),
    [
        ("[" * 100_000, "Nested deeper"),
        ('{"threshold": 0.1, "threshold": 0.2}', 'Duplicate key "threshold"'),
        ('{"threshold": NaN}', "NaN is not JSON"),
        ("[1]", "must be a JSON object"),
        ("", "no readable config file"),
        ("caf\udce9.json", "no readable config file"),
    ],
    ids=["deep", "twice", "nan", "list", "empty", "missing"],
)
def test_a_config_that_cannot_be_read_says_why(config: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        read_config(config)


def test_a_hostile_config_file_says_why(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b'{"a": ' + b"[" * 100_000)
    with pytest.raises(UsageError, match="Nested deeper"):
        read_config(str(tmp_path / "config.json"))
    (tmp_path / "config.json").write_bytes(b'{"a": "caf\xe9"}')
    with pytest.raises(UsageError, match="UTF-8"):
        read_config(str(tmp_path / "config.json"))


def test_an_address_where_nothing_answers_exits_with_3(framegate: Framegate) -> None:
    failed = framegate("jobs", "--url", f"http://127.0.0.1:{free_port()}")

    assert failed.returncode == 3
    assert "framegate up" in failed.stderr


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1", "http://", "http://[::1"])
def test_what_is_no_address_exits_with_2(framegate: Framegate, url: str) -> None:
    assert framegate("jobs", "--url", url).returncode == 2


def test_what_is_not_framegate_is_told(framegate: Framegate, other_server: str) -> None:
    failed = framegate("jobs", "--url", other_server)

    assert failed.returncode == 1
    assert "is not Framegate" in failed.stderr


def test_a_missing_key_says_how_to_get_one(framegate: Framegate, stack: StackReady) -> None:
    failed = framegate("jobs", "--url", stack.url)

    assert failed.returncode == 1
    assert "framegate keys create" in failed.stderr


def test_a_job_that_is_not_there_says_how_to_find_those_that_are(
    framegate: Framegate, client_environment: Mapping[str, str]
) -> None:
    failed = framegate("job", "no-such-job", **client_environment)

    assert failed.returncode == 1
    assert "`framegate jobs`" in failed.stderr


@pytest.mark.parametrize("job", ["", ".", "..", "a/b", "../pipelines"])
def test_what_can_be_no_jobs_id_leads_nowhere_else(job: str) -> None:
    with pytest.raises(UsageError, match="is no id of a job"):
        job_path(job)


def test_the_envelopes_message_and_hint_are_shown(
    framegate: Framegate, client_environment: Mapping[str, str], sample: str
) -> None:
    config = '{"scene_detection": {"threshold": 7}}'
    failed = framegate("submit", sample, "--config", config, **client_environment)

    assert failed.returncode == 1
    assert "config.scene_detection.threshold" in failed.stderr
    assert "Hint: " in failed.stderr


def test_a_failure_in_json_is_the_envelope_and_nothing_else(
    framegate: Framegate, client_environment: Mapping[str, str]
) -> None:
    failed = framegate("job", "no-such-job", "--json", **client_environment)

    assert failed.returncode == 1
    assert json.loads(failed.stdout)["error"]["code"] == "JOB_NOT_FOUND"
    assert failed.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [["jobs"], ["job", "x"], ["results", "x"], ["submit", "pyproject.toml"], ["pipelines"]],
)
def test_client_commands_load_no_part_of_the_server(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        f"sys.argv = ['framegate', *{arguments!r}, '--url', 'http://127.0.0.1:{free_port()}']\n"
        "from api.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: assert end.code == 3, end.code\n"
        "print({'dagster', 'torch', 'fastapi', 'sqlalchemy', 'av', 'numpy'} & sys.modules.keys())"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert loaded.stdout == "set()\n"


@pytest.mark.parametrize("arguments", [["--help"], ["presets", "--json"]])
def test_a_reader_that_has_seen_enough_is_no_traceback(arguments: list[str]) -> None:
    """As in `framegate jobs | head -1`."""
    read_end, write_end = os.pipe()
    os.close(read_end)
    command = [sys.executable, "-m", "api.cli", *arguments]
    with os.fdopen(write_end) as closed:
        ended = subprocess.run(
            command, cwd=PROJECT, stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )

    assert ended.returncode == 1
    assert ended.stderr == ""
