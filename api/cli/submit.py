"""`framegate submit`: a file goes up, a job comes back."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from api.cli.client import Client, connect
from api.cli.errors import UsageError
from api.cli.jobs import print_job, require_completed
from api.cli.terminal import notes
from api.cli.wait import wait_for
from contracts.strict_json import StrictJsonError, parse_json


def submit(
    url: str,
    api_key: str | None,
    file: Path,
    *,
    pipelines: str | None,
    config: str | None,
    wait: bool,
    as_json: bool,
) -> None:
    parsed = read_config(config) if config else {}
    with connect(url, api_key) as client:
        job = upload(client, file, pipelines, parsed, quiet=as_json)
        if wait:
            job = wait_for(client, job, quiet=as_json)
    if wait or as_json:
        print_job(job, as_json=as_json)
    else:
        print(job["id"])  # noqa: T201 - this is the output
        notes().print(f"[dim]Watch it with `framegate job {job['id']} --wait`.[/]")
    if wait:
        require_completed(job, as_json=as_json)


def upload(
    client: Client, path: Path, pipelines: str | None, config: dict[str, Any], *, quiet: bool
) -> Any:
    """Posts the file as it is read from the disk, with a bar. Returns the new job.

    `pipelines` are names with commas between; without them the server runs its default ones.
    """
    fields = {"config": json.dumps(config)}
    if pipelines:
        fields["selected_pipelines"] = pipelines
    with ExitStack() as stack:
        try:
            file = stack.enter_context(path.open("rb"))
        except OSError as error:
            raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
        size = path.stat().st_size
        bar = stack.enter_context(_bar(quiet=quiet))
        task = bar.add_task(path.name, total=size)
        return client.upload("api/v1/jobs", path.name, bar.wrap_file(file, task_id=task), fields)


def read_config(given: str) -> dict[str, Any]:
    """A JSON object: as it stands, or in the file of that name. Raises UsageError."""
    text: str | bytes = given
    if not given.lstrip().startswith(("{", "[")):
        try:
            text = Path(given).read_bytes()
        except (OSError, ValueError) as error:
            raise UsageError(
                f"There is no readable config file {given!r}.",
                hint='Give a file, or the JSON itself: \'{"scene_detection": {"threshold": 0.4}}\'',
            ) from error
    try:
        config = parse_json(text)
    except StrictJsonError as error:
        raise UsageError(f"The config cannot be read: {error}.") from error
    if not isinstance(config, dict):
        raise UsageError("The config must be a JSON object.")
    return config


def _bar(*, quiet: bool) -> Progress:
    """It leaves nothing behind, so that it is for terminals alone."""
    console = notes()
    return Progress(
        TextColumn("[bold]upload[/] {task.description}", markup=True),
        BarColumn(bar_width=40),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=console,
        disable=quiet or not console.is_terminal,
        transient=True,
    )
