"""Pictures among a job's files, shown by the Dagster UI in place.

The UI opens Markdown in place only while it is shorter than 1,000 characters, and shows pictures as
large as they are. So a thumbnail is written and named by its address. Dagster's webserver gives
out files of the compute log manager under `/logs/`; ours finds a job's pictures there, too.
"""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from contracts.door import DAGSTER_PREFIX
from contracts.home import Home
from orchestration.annotation.publication import Publication
from pipelines.findings import ResultFile, Role

#: Width and height in pixels: what the narrowest column of the UI shows whole.
_LARGEST = (540, 720)
_QUALITY = 85
_JOBS = "jobs"
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


def preview_markdown(home: Home, run_id: str, publication: Publication) -> str | None:
    """A thumbnail of the first preview, which leads to the whole one; None where there is none."""
    preview = next((file for file in publication.findings.files if _is_preview(file)), None)
    if preview is None:
        return None
    pipeline, whole = publication.folder.name, publication.folder / preview.name
    thumbnail = home.thumbnail(run_id, pipeline)
    _write_thumbnail(whole, thumbnail)
    return f"[![{pipeline}]({_address(home, thumbnail)})]({_address(home, whole)})"


def is_picture(parts: Sequence[str]) -> bool:
    """Whether an address below `/logs/` means a job's picture; those of logs begin with a run."""
    return parts[0] == _JOBS and Path(parts[-1]).suffix in _SUFFIXES


def picture_path(home: Home, parts: Sequence[str]) -> Path:
    """Where the picture lies. Raises ValueError for an address that leads out of the jobs."""
    path = home.jobs.joinpath(*parts[1:]).resolve()
    if home.jobs.resolve() not in path.parents:
        raise ValueError(f"{'/'.join(parts)} is not among the files of jobs.")
    return path


def _is_preview(file: ResultFile) -> bool:
    return file.role is Role.PREVIEW and Path(file.name).suffix in _SUFFIXES


def _write_thumbnail(picture: Path, thumbnail: Path) -> None:
    with Image.open(picture) as opened:
        small = opened.convert("RGB")
    small.thumbnail(_LARGEST, Image.Resampling.LANCZOS)
    thumbnail.parent.mkdir(parents=True, exist_ok=True)
    small.save(thumbnail, quality=_QUALITY)


def _address(home: Home, picture: Path) -> str:
    return f"{DAGSTER_PREFIX}/logs/{_JOBS}/{quote(str(picture.relative_to(home.jobs)))}"
