"""The report of a job: one HTML file that opens offline and needs no scripts."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from api.dagster.run import Run
from api.dependencies import Services
from api.http.schemas import PipelineResult
from api.jobs.description import JobFiles, describe
from contracts.home import Home
from contracts.timestamps import now

_TEMPLATES = Path(__file__).parent / "templates"
_PREVIEW_ROLE = "preview"
#: What a manifest of an older version may lack.
_NOTHING: Mapping[str, Any] = {
    **dict.fromkeys(("version", "device"), "not known"),
    **dict.fromkeys(("notes", "table", "files"), ()),
    **{name: {} for name in ("timings", "facts", "config")},
    "annotation_count": 0,
    "noun": "annotations",
}


@dataclass(frozen=True)
class Section:
    """What the report says of one pipeline; `manifest` is empty where it published nothing."""

    name: str
    title: str
    model: str
    result: PipelineResult
    manifest: Mapping[str, Any]
    pictures: tuple[str, ...]


def render_report(services: Services, run: Run, files: JobFiles) -> str:
    """The whole page. Pictures are inside, as data URIs."""
    job = describe(run, files, url=services.settings.run_url(run.run_id))
    sections = [
        _section(services, run, name, result, files.manifests.get(name, {}))
        for name, result in job.pipeline_results.items()
    ]
    return _template().render(job=job, sections=sections, version=version("framegate"), now=now())


def _section(
    services: Services, run: Run, name: str, result: PipelineResult, manifest: Mapping[str, Any]
) -> Section:
    card = services.catalog.cards.get(name)
    return Section(
        name=name,
        title=card.display_name if card else name,
        model=card.variant if card else "",
        result=result,
        manifest={**_NOTHING, **manifest} if manifest else {},
        pictures=tuple(_pictures(services.home, run, name, manifest)),
    )


def _pictures(home: Home, run: Run, name: str, manifest: Mapping[str, Any]) -> Iterator[str]:
    for file in manifest.get("files", ()):
        path = home.results(run.run_id) / name / file["name"]
        if file["role"] == _PREVIEW_ROLE and path.is_file():
            content = base64.b64encode(path.read_bytes()).decode()
            yield f"data:{file['media_type']};base64,{content}"


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
