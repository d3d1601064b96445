"""The tiers of all pipelines of a job; see `pipelines/outputs/tiers.py`."""

from collections.abc import Mapping
from typing import Any

from api.dagster.run import Run
from api.dependencies import Services
from api.http.schemas import JobResults
from api.results.elan import Segment
from api.results.files import result_file
from contracts.json_file import read_json

_TIERS_ROLE = "tiers"


def read_tiers(services: Services, run: Run, results: JobResults) -> dict[str, list[Segment]]:
    """By name. A name that two pipelines use is preceded by the pipeline's own the second time."""
    tiers: dict[str, list[Segment]] = {}
    for file in results.files:
        if file.role != _TIERS_ROLE:
            continue
        document = read_json(result_file(services.home, file, run.run_id).path) or {}
        for name, segments in _by_name(document).items():
            unique = name if name not in tiers else f"{file.pipeline} {name}"
            tiers[unique] = segments
    return tiers


def _by_name(document: Mapping[str, Any]) -> dict[str, list[Segment]]:
    return {
        name: [Segment(item["start"], item["end"], item["label"]) for item in items]
        for name, items in document.get("tiers", {}).items()
    }
