"""Pictures that the Dagster UI shows in place."""

import re
from pathlib import Path
from urllib.parse import unquote

import pytest
from PIL import Image

from api.stack.events import StackReady
from contracts.home import Home
from orchestration.annotation.pictures import is_picture, picture_path, preview_markdown
from orchestration.annotation.publication import Publication
from pipelines.findings import Findings, ResultFile, Role, Timings
from tests.webserver import webserver_of

RUN = "0f7a"


def _published(home: Home, name: str, size: tuple[int, int]) -> Publication:
    folder = home.results(RUN) / "faces"
    folder.mkdir(parents=True)
    Image.new("RGB", size, (0, 200, 0)).save(folder / name)
    files = [ResultFile(name, Role.PREVIEW, "image/png")]
    findings = Findings(1, "faces", files, "cpu", Timings(0, 0, 0))
    return Publication(findings, folder, seconds=1.0)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.mark.parametrize("name", ["lamp.png", "l%2e m)p [1].png", f"{'ü' * 60}.png"])
def test_a_preview_is_short_markdown_of_a_thumbnail_that_leads_to_the_whole(
    home: Home, name: str
) -> None:
    markdown = preview_markdown(home, RUN, _published(home, name, (3000, 1000)))

    assert markdown is not None
    assert len(markdown) < 1000
    addresses = re.fullmatch(
        r"\[!\[faces\]\(/dagster/logs/(\S+?)\)\]\(/dagster/logs/(\S+)\)", markdown
    )
    assert addresses is not None
    thumbnail, whole = (
        picture_path(home, unquote(address).split("/")) for address in addresses.groups()
    )
    assert _size(thumbnail) == (540, 180)
    assert _size(whole) == (3000, 1000)


def test_a_small_preview_is_not_made_larger(home: Home) -> None:
    preview_markdown(home, RUN, _published(home, "lamp.png", (40, 30)))

    assert _size(home.thumbnail(RUN, "faces")) == (40, 30)


def test_without_a_preview_there_is_no_markdown(home: Home) -> None:
    findings = Findings(0, "faces", [], "cpu", Timings(0, 0, 0))

    assert preview_markdown(home, RUN, Publication(findings, home.root, seconds=1.0)) is None


@pytest.mark.parametrize(
    "address",
    [
        "0f7a/compute_logs/faces.err",
        "jobs/0f7a/results/faces/manifest.json",
        "jobs/0f7a/worker.log",
    ],
)
def test_nothing_but_pictures_of_jobs_is_a_picture(address: str) -> None:
    assert not is_picture(address.split("/"))


@pytest.mark.parametrize("address", ["jobs/../secret.png", "jobs/0f7a/../../../secret.png"])
def test_an_address_leads_nowhere_else(home: Home, address: str) -> None:
    (home.root / "secret.png").touch()
    with pytest.raises(ValueError, match="not among the files of jobs"):
        picture_path(home, address.split("/"))


def test_the_webserver_gives_out_pictures_of_jobs_alone(stack: StackReady) -> None:
    folder = Home(Path(stack.home)).job("shown")
    folder.mkdir()
    Image.new("RGB", (8, 8)).save(folder / "small.png")
    (folder / "notes.txt").write_text("not a picture")
    with webserver_of(stack.home) as webserver:
        shown = webserver.get("/logs/jobs/shown/small.png")

        assert (shown.status_code, shown.headers["Content-Type"]) == (200, "image/png")
        assert webserver.get("/logs/jobs/shown/notes.txt").status_code == 404
        assert webserver.get("/logs/jobs/shown/absent.png").status_code == 404
