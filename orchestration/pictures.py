"""Pictures among a job's results, shown by the Dagster UI in place.

The UI opens Markdown in place only while it is shorter than 1,000 characters, so a picture is named
by its address instead of being written into the event log. Dagster's webserver gives out files of
the compute log manager under `/logs/`; ours finds pictures there, too.
"""

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from contracts.home import Home

_RESULTS = "results"
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
#: "results", run id, pipeline, file name
_PARTS = 4


def picture_markdown(run_id: str, pipeline: str, name: str) -> str:
    """A picture that the pipeline published, as Markdown for the UI's own origin."""
    return f"![{pipeline}](/logs/{quote(f'{_RESULTS}/{run_id}/{pipeline}/{name}')})"


def is_picture(parts: Sequence[str]) -> bool:
    """Whether an address below `/logs/` means a picture; logs begin with a run id."""
    return len(parts) == _PARTS and parts[0] == _RESULTS and Path(parts[-1]).suffix in _SUFFIXES


def picture_path(home: Home, parts: Sequence[str]) -> Path:
    """Where the picture lies. Raises ValueError for an address that leads out of the results."""
    _, run_id, pipeline, name = parts
    folder = home.results(run_id) / pipeline
    path = (folder / name).resolve()
    if path.parent != folder.resolve() or home.jobs.resolve() not in path.parents:
        raise ValueError(f"{'/'.join(parts)} is not among results.")
    return path
