"""What a run config, a tag or a manifest names is handed out only where it is a job's own file."""

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.settings import Settings
from contracts.run import (
    KIND,
    KIND_TAG,
    MEDIA_FACTS_TAG,
    PIPELINES_TAG,
    PROBE_OP,
    MediaFacts,
    pipeline_tags,
)

pytestmark = pytest.mark.anyio

FORGED = {KIND_TAG: KIND, MEDIA_FACTS_TAG: MediaFacts("../../x.mp4", 9, 1.0).to_tag()}


@pytest.fixture
def video(settings: Settings, clip: bytes) -> Path:
    path = settings.media_roots[0] / "clip.mp4"
    path.write_bytes(clip)
    return path


@pytest.fixture
def launched(dagster: Any) -> Callable[..., str]:
    """The address of a finished run that was launched over Dagster, with any media and tags."""

    def launch(media: str, **tags: str) -> str:
        run = dagster.add(
            "annotate",
            tags={**FORGED, **pipeline_tags(["face_detection"]), **tags},
            config={"ops": {PROBE_OP: {"config": {"media": media}}}},
        )
        run.end("FAILURE")
        return f"/api/v1/jobs/{run.id}"

    return launch


def outside(settings: Settings) -> Path:
    path = settings.home.parent / "outside.mp4"
    path.write_bytes(b"nobody's business")
    return path


def database(settings: Settings) -> Path:
    return settings.paths.database


def in_a_root_but_never_submitted(settings: Settings) -> Path:
    path = settings.media_roots[0] / "other.mp4"
    path.write_bytes(b"another owner's")
    return path


def become_a_link(path: Path, *, to: Path) -> None:
    path.unlink()
    path.symlink_to(to)


@pytest.mark.parametrize("named", [outside, database, in_a_root_but_never_submitted])
async def test_media_that_no_submission_recorded_is_not_handed_out(
    admin: httpx.AsyncClient,
    settings: Settings,
    launched: Callable[..., str],
    named: Callable[[Settings], Path],
) -> None:
    answer = await admin.get(f"{launched(str(named(settings)))}/artifacts")

    assert answer.status_code == 404
    assert "media of this job is gone" in answer.json()["detail"]


@pytest.mark.parametrize(
    "media", ["/etc/hostname", "/dev/zero", "/proc/self/environ", "relative", "", "/a\0b"]
)
async def test_nor_is_anything_else_of_the_machine(
    admin: httpx.AsyncClient, launched: Callable[..., str], media: str
) -> None:
    assert (await admin.get(f"{launched(media)}/artifacts")).status_code == 404


async def test_a_submitted_file_that_became_a_link_is_not_followed(
    admin: httpx.AsyncClient, settings: Settings, dagster: Any, video: Path
) -> None:
    submitted = await admin.post(
        "/api/v1/jobs", json={"media": str(video), "pipelines": ["face_detection"]}
    )
    dagster.runs[submitted.json()["id"]].end("SUCCESS")
    address = f"/api/v1/jobs/{submitted.json()['id']}/artifacts"
    assert (await admin.get(address)).status_code == 200
    become_a_link(video, to=outside(settings))

    assert (await admin.get(address)).status_code == 404


@pytest.fixture
def results(settings: Settings, launched: Callable[..., str], clip: bytes) -> Any:
    """Writes a manifest with one file of this name, as a pipeline of bad will might."""
    media = settings.paths.media("a" * 64)
    media.parent.mkdir(parents=True)
    media.write_bytes(clip)
    address = launched("a" * 64)
    folder = settings.paths.results(address.rsplit("/", 1)[1]) / "face_detection"
    folder.mkdir(parents=True)

    def write(name: str) -> tuple[str, Path]:
        file = {"name": name, "role": "annotations", "media_type": "application/json"}
        listed = [{**file, "size_bytes": 2, "sha256": "0" * 64}]
        (folder / "manifest.json").write_text(json.dumps({"files": listed}))
        return address, folder

    return write


@pytest.mark.parametrize("name", ["../../../../secret", "/etc/hostname", "link", "pipe", "inner"])
async def test_a_result_that_is_no_file_of_the_job_is_not_handed_out(
    admin: httpx.AsyncClient, settings: Settings, results: Any, name: str
) -> None:
    address, folder = results(name)
    (settings.home / "secret").write_text("{}")
    (folder / "link").symlink_to(settings.home / "secret")
    (folder / "inner").mkdir()
    os.mkfifo(folder / "pipe")

    file = await admin.get(f"{address}/results/face_detection/{name}")
    assert file.status_code == 404
    assert (await admin.get(f"{address}/artifacts")).status_code == 404


async def test_a_forged_list_of_pipelines_leads_nowhere(
    admin: httpx.AsyncClient, settings: Settings, launched: Callable[..., str]
) -> None:
    settings.home.joinpath("manifest.json").write_text('{"files": [], "secret": 1}')
    address = launched("a" * 64, **{PIPELINES_TAG: "../../..,face_detection,/etc"})

    assert (await admin.get(address)).json()["selected_pipelines"] == ["face_detection"]
    assert (await admin.get(f"{address}/results")).json()["pipelines"] == {}


async def test_the_zip_names_files_without_folders(admin: httpx.AsyncClient, results: Any) -> None:
    address, folder = results("a.json")
    (folder / "a.json").write_text("{}")

    answer = await admin.get(f"{address}/artifacts")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist()[:2] == ["README.txt", "x"]
        assert not [name for name in archive.namelist() if "/" in name or ".." in name]
