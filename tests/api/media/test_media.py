"""Media that lie here already: an upload by its hash, a file in a media root by its path."""

import hashlib
import os
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from api.dependencies import Services
from api.errors import ProbeUnavailableError
from api.media.probing import Prober
from api.settings import Settings
from contracts.run import PROBE_OP

pytestmark = pytest.mark.anyio

JOBS = "/api/v1/jobs"


@pytest.fixture
def file(settings: Settings, clip: bytes) -> Path:
    path = settings.media_roots[0] / "clip.mp4"
    path.write_bytes(clip)
    return path


@pytest.fixture
def escapes(file: Path, tmp_path: Path) -> dict[str, str]:
    """Ways to name what is outside of the media roots, or is no file."""
    outside = tmp_path / "outside.mp4"
    outside.write_bytes(file.read_bytes())
    (file.parent / "link.mp4").symlink_to(outside)
    (file.parent / "loop").symlink_to(file.parent / "loop")
    os.mkfifo(file.parent / "pipe")
    return {
        "outside": str(outside),
        "dots": f"{file.parent}/../outside.mp4",
        "link": str(file.parent / "link.mp4"),
        "loop": str(file.parent / "loop"),
        "folder": str(file.parent),
        "pipe": str(file.parent / "pipe"),
        "missing": str(file.parent / "missing.mp4"),
        "relative": os.path.relpath(file),
        "device": "/dev/zero",
        "nul": f"{file}\0",
        "long": f"{file.parent}/{'x' * 4000}",
    }


async def test_an_unknown_hash_is_a_404(admin: httpx.AsyncClient, dagster: Any) -> None:
    response = await admin.post(JOBS, json={"media": "a" * 64})
    assert response.status_code == 404
    assert dagster.asked == []


async def test_a_file_in_a_media_root_is_used_where_it_is(
    admin: httpx.AsyncClient, dagster: Any, file: Path, clip: bytes, settings: Settings
) -> None:
    response = await admin.post(JOBS, json={"media": str(file), "pipelines": ["speech_activity"]})
    assert response.status_code == 201, response.text
    [run] = dagster.runs.values()
    assert run.config["ops"][PROBE_OP]["config"]["media"] == str(file)
    assert response.json()["media"] == hashlib.sha256(clip).hexdigest()
    assert response.json()["video_filename"] == "clip.mp4"
    assert not settings.paths.media("a").exists()


async def test_a_file_in_a_media_root_is_read_again_only_when_it_changed(
    services: Services, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    probed = []
    probe = Prober.probe

    async def count(self: Prober, path: Path, name: str, descriptor: int) -> Any:
        probed.append(path)
        return await probe(self, path, name, descriptor)

    monkeypatch.setattr(Prober, "probe", count)
    first = await services.media.find(str(file))
    assert await services.media.find(str(file)) == first
    assert len(probed) == 1
    os.utime(file, ns=(1, 1))
    assert await services.media.find(str(file)) == first
    assert len(probed) == 2


async def test_nothing_outside_of_the_media_roots_can_be_named_and_all_refusals_look_alike(
    admin: httpx.AsyncClient, dagster: Any, escapes: dict[str, str]
) -> None:
    answers = {way: await admin.post(JOBS, json={"media": media}) for way, media in escapes.items()}
    assert {way: answer.status_code for way, answer in answers.items()} == dict.fromkeys(
        escapes, 400
    )
    assert len({answer.json()["detail"] for answer in answers.values()}) == 1
    assert dagster.asked == []


async def test_probing_that_takes_too_long_is_given_up_and_leaves_no_process(file: Path) -> None:
    before = psutil.Process().children()
    with pytest.raises(ProbeUnavailableError, match="within"):
        await Prober(timeout=0.01).probe(file, file.name)
    assert psutil.Process().children() == before
