"""`framegate retry`: a new job of what an earlier one did not complete."""

from api.cli.client import connect, job_path
from api.cli.jobs import print_job, require_completed
from api.cli.terminal import notes
from api.cli.wait import wait_for


def retry(url: str, api_key: str | None, job_id: str, *, wait: bool, as_json: bool) -> None:
    """Prints the new job's id alone, unless more is asked for."""
    with connect(url, api_key) as client:
        job = client.post(f"{job_path(job_id)}/retry")
        if wait:
            job = wait_for(client, job, quiet=as_json)
    if wait or as_json:
        print_job(job, as_json=as_json)
    else:
        print(job["id"])  # noqa: T201 - this is the output
        notes().print(f"[dim]Watch it with `framegate job {job['id']} --wait`.[/]")
    if wait:
        require_completed(job, as_json=as_json)
