"""What a finished job left: its manifest, the files in it, and their deletion."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from anyio import to_thread

from api.dagster.run import Run
from api.dependencies import Services
from api.errors import JobNotFinishedError, NotFoundError
from api.http.schemas import JobResults, ResultFile
from api.jobs.coverage import coverage_of, least
from api.jobs.description import JobFiles, job_status, pipeline_results, read_files
from api.jobs.finding import find_run
from contracts.checked_file import CheckedFile, check_beneath
from contracts.home import Home


async def find_finished_run(services: Services, job_id: str, *, with_steps: bool = False) -> Run:
    """`with_steps` also asks when each pipeline ran.

    Raises JobNotFoundError, JobNotFinishedError.
    """
    run = await find_run(services.dagster, job_id, with_steps=with_steps)
    check_finished(run)
    return run


def check_finished(run: Run) -> None:
    """Raises JobNotFinishedError."""
    if run.status.is_terminal:
        return
    raise JobNotFinishedError(
        f"The job is still {job_status(run.status)}.",
        hint="Wait until it has ended, or cancel it.",
        detail={"status": job_status(run.status)},
    )


async def get_results(services: Services, job_id: str) -> JobResults:
    """Raises JobNotFoundError, JobNotFinishedError."""
    run = await find_finished_run(services, job_id, with_steps=True)
    return results_of(run, await to_thread.run_sync(read_files, services.home, run))


def results_of(run: Run, files: JobFiles) -> JobResults:
    coverage = least(map(coverage_of, files.manifests.values()))
    return JobResults(
        job_id=run.run_id,
        status=job_status(run.status),
        complete=coverage.complete,
        covered_seconds=coverage.seconds,
        pipeline_results=pipeline_results(run, files),
        pipelines={name: dict(manifest) for name, manifest in files.manifests.items()},
        files=[
            _result_file(run.run_id, name, file)
            for name, manifest in files.manifests.items()
            for file in manifest.get("files", ())
        ],
    )


async def find_file(services: Services, job_id: str, path: str) -> tuple[ResultFile, CheckedFile]:
    """The file that a manifest names so; no other path leads anywhere. Raises NotFoundError."""
    run = await find_finished_run(services, job_id)
    results = results_of(run, await to_thread.run_sync(read_files, services.home, run))
    for file in results.files:
        if file.path == path:
            found = await to_thread.run_sync(result_file, services.home, file, job_id)
            return file, found
    raise NotFoundError(
        f"The job has no result {path[:200]!r}.",
        hint=f"GET /api/v1/jobs/{job_id}/results lists its files.",
    )


def result_file(home: Home, file: ResultFile, job_id: str) -> CheckedFile:
    """Raises NotFoundError if it is gone, or is anything but a regular file in the job's folder."""
    try:
        return check_beneath(home.results(job_id), f"{file.pipeline}/{file.name}")
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        raise NotFoundError(f"The file {file.name[:200]!r} is gone from the disk.") from error


async def delete_job(services: Services, run: Run) -> None:
    """Results first and the run last: what is cut off in between can be deleted again."""
    await to_thread.run_sync(_remove, services.home.job(run.run_id))
    await to_thread.run_sync(services.idempotency.forget_run, run.run_id)
    await services.dagster.delete(run.run_id)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _result_file(run_id: str, pipeline: str, file: Mapping[str, Any]) -> ResultFile:
    path = f"{pipeline}/{file['name']}"
    return ResultFile(
        path=path,
        pipeline=pipeline,
        name=file["name"],
        role=file["role"],
        media_type=file["media_type"],
        size_bytes=file["size_bytes"],
        sha256=file["sha256"],
        url=f"/api/v1/jobs/{run_id}/results/{quote(path)}",
    )
