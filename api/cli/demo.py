"""`framegate demo`: from nothing to annotations of a sample video, through the REST API alone."""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex
from typing import Any

from rich.markup import escape

from api.auth import keys
from api.auth.roles import Role
from api.cli.client import Client, connect
from api.cli.errors import CommandError, InterruptedCommandError
from api.cli.jobs import require_completed
from api.cli.results import findings_table
from api.cli.settings import read_settings
from api.cli.stack_process import StackProcess, start_stack
from api.cli.submit import upload
from api.cli.terminal import answers, print_json
from api.cli.up import print_event
from api.cli.wait import wait_for
from api.database.database import open_current_database
from api.settings import Settings
from api.stack.lock import find_running
from api.stack.ports import free_port, is_free
from contracts.project import PROJECT

_KEY_LIFE = timedelta(hours=1)

Say = Callable[[str], None]


def demo(home: Path | None, *, pipelines: str | None, keep: bool, as_json: bool) -> None:
    """Runs the pipelines (comma-separated; None for all) on a sample video.

    It uses the stack that runs in the home, or starts one and stops it at the end.

    Raises CommandError if anything failed.
    """
    settings = read_settings(home=home)
    say: Say = (
        (lambda _text: None) if as_json else (lambda text: answers().print(text, soft_wrap=True))
    )
    if running := find_running(settings.paths.run):
        say(f"Framegate runs at {running.url} already: the demo uses it.")
        _run_job(settings, running.url, pipelines, say, as_json=as_json)
        return
    with start_stack(_with_free_port(settings)) as stack:
        ready = stack.until_ready((lambda _event: None) if as_json else print_event)
        _run_job(settings, ready.url, pipelines, say, as_json=as_json)
        if keep:
            _keep_up(stack, say)
        else:
            say("  `make demo KEEP=1` leaves Framegate running, to look around there.")
        say("Stopping…")


def _run_job(
    settings: Settings, url: str, pipelines: str | None, say: Say, *, as_json: bool
) -> None:
    with _key(settings) as key, connect(url, key) as client:
        job, results = _annotate_sample(client, pipelines, say, quiet=as_json)
    files = [str(settings.paths.results(job["id"]) / file["path"]) for file in results["files"]]
    if as_json:
        print_json({"job": job, "results": results, "files": files})
    else:
        _show(job, results, files, url)
    require_completed(job, as_json=as_json)


def _annotate_sample(
    client: Client, pipelines: str | None, say: Say, *, quiet: bool
) -> tuple[Any, Any]:
    with tempfile.TemporaryDirectory(prefix="framegate-demo-") as folder:
        sample = Path(folder) / "sample.mp4"
        say("Cutting real clips together into a sample video…")
        _make_sample(sample)
        job = upload(client, sample, pipelines or _every_pipeline(client), {}, quiet=quiet)
    say(f"Submitted; the run is at {job['dagster_url']}")
    try:
        job = wait_for(client, job, quiet=quiet)
    except InterruptedCommandError:
        client.post(f"api/v1/jobs/{job['id']}/cancel")
        raise InterruptedCommandError("You stopped the demo; its job is cancelled.") from None
    return job, client.get(f"api/v1/jobs/{job['id']}/results")


def _every_pipeline(client: Client) -> str:
    return ",".join(card["name"] for card in client.get("api/v1/pipelines")["pipelines"])


def _make_sample(path: Path) -> None:
    """In a process of its own: the command itself never loads what reads and writes video."""
    made = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, "-m", "pipelines.sample", str(path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise CommandError(
            "The sample video cannot be made.",
            hint="`framegate doctor` says whether the clips are installed.",
            detail={"log": made.stderr.strip()},
        )


def _show(job: Mapping[str, Any], results: Mapping[str, Any], files: list[str], url: str) -> None:
    console = answers()
    console.print()
    console.print(findings_table(results))
    console.print()
    for path in files:
        console.print(f"  {escape(path)}", soft_wrap=True)
    console.print()
    console.print(f"  The run in the Dagster UI  {job['dagster_url']}", soft_wrap=True)
    console.print(f"  The API's documentation    {url}/docs", soft_wrap=True)


def _keep_up(stack: StackProcess, say: Say) -> None:
    say("Framegate stays up until Ctrl-C.")
    with suppress(KeyboardInterrupt):
        for event in stack.tell():
            print_event(event)


@contextmanager
def _key(settings: Settings) -> Iterator[str]:
    """A key of the demo's own, revoked at the end."""
    database = open_current_database(settings.database)
    try:
        record, secret = keys.create_key(
            database,
            role=Role.ANNOTATOR,
            name=f"demo-{token_hex(4)}",
            expires_at=datetime.now(UTC) + _KEY_LIFE,
        )
        try:
            yield secret
        finally:
            keys.revoke_key(database, record.id)
    finally:
        database.close()


def _with_free_port(settings: Settings) -> Settings:
    """The settings' own port where it can be had, so that the address stays the usual one."""
    if is_free(settings.host, settings.port):
        return settings
    return settings.model_copy(update={"port": free_port()})
